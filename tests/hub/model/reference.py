"""What a hub must hold, in a few dictionaries: the reference that the real one is compared with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.git.objects import Kind, Pointer, hash_object
from hub.models import Repo


class Large(NamedTuple):
    """A large file, by what its pointer says."""

    sha256: bytes
    size: int


Files = dict[str, "bytes | Large"]


@dataclass(frozen=True)
class Snapshot:
    """One commit: all its files, and what it stands on."""

    files: Files
    parents: tuple[bytes, ...]

    def blobs(self) -> Iterator[bytes]:
        """The ids of the git objects of all files."""
        for content in self.files.values():
            raw = bytes(Pointer(*content)) if isinstance(content, Large) else content
            yield hash_object(Kind.BLOB, raw)

    def large(self) -> set[bytes]:
        return {one.sha256 for one in self.files.values() if isinstance(one, Large)}


@dataclass
class RepoReference:
    """One repo: its commits, those that were ever made, and its refs."""

    repo: Repo
    commits: dict[bytes, Snapshot] = field(default_factory=dict)
    refs: dict[str, bytes] = field(default_factory=dict)
    """Each ref with the commit that it comes to."""
    annotated: set[str] = field(default_factory=set)
    """Tags that are objects of their own."""
    purged: set[bytes] = field(default_factory=set)

    def head(self, ref: str) -> Snapshot:
        return self.commits[self.refs[ref]]

    def branches(self) -> list[str]:
        return sorted(ref for ref in self.refs if ref.startswith("refs/heads/"))

    def tags(self) -> list[str]:
        return sorted(ref for ref in self.refs if ref.startswith("refs/tags/"))

    def reachable(self) -> set[bytes]:
        """All commits that the refs lead to."""
        found: set[bytes] = set()
        waiting = list(self.refs.values())
        while waiting:
            oid = waiting.pop()
            if oid not in found:
                found.add(oid)
                waiting += self.commits[oid].parents
        return found

    def needed(self) -> set[bytes]:
        """The large files that somebody can come to and that were not deleted for good."""
        named = (self.commits[oid].large() for oid in self.reachable())
        return set().union(*named) - self.purged
