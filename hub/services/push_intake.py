"""Intake: what a pushed pack holds and names, and the checks that need all of it."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from hub.errors import BadObject, BlobNotFound
from hub.git.fsck import (
    SUBMODULE_MODE,
    TreeChecker,
    check_commit,
    check_gitmodules,
    check_tag,
    is_gitmodules,
)
from hub.git.objects import (
    SYMLINK_MODE,
    TREE_MODE,
    Kind,
    Tagged,
    Tree,
    parse_commit,
    parse_tree,
    tagged,
)
from hub.git.pack_reader import read_pack
from hub.git.symlinks import MAX_TARGET_BYTES, check_link
from hub.git.tree_diff import paths_of, shallowest_links
from hub.git.unpacked import Pack, Source
from hub.models import Repo
from hub.queries import packs
from hub.queries.objects import blob_facts, parsed_trees, read_many
from hub.services import blobs
from hub.services.commits import MAX_FILE_BYTES
from hub.services.guarding import Guard
from teams.errors import TooLarge
from teams.policies import Principal

MAX_NAMED_OUTSIDE = 2_000_000
"""How many objects a pack may name beyond those that it has."""
MAX_COMMIT_TEXT_BYTES = 256 * 1024 * 1024
"""Of all commits of a push together: they are the one thing that is held in memory."""
_FILES_TOLD = 10
_TOO_LONG = b"x" * (MAX_TARGET_BYTES + 1)


class PushedCommit(NamedTuple):
    """What a commit of the pack stands on."""

    tree: bytes
    parents: tuple[bytes, ...]


class Intake:
    """The pack of one push, read and checked object by object. Whoever has one closes its pack."""

    def __init__(self, repo: Repo, source: Source) -> None:
        """Read the pack.

        Raises:
            BadObject: it is damaged, too large, or holds what git would not take.
        """
        self._repo = repo
        self._trees = TreeChecker()
        self._commit_bytes = 0
        self._gitmodules: set[bytes] = set()
        self._has_links = False
        self.commits: dict[bytes, PushedCommit] = {}
        self.tags: dict[bytes, Tagged] = {}
        """Annotated tags and what they name."""
        self.expected: dict[bytes, Kind] = {}
        """Everything that objects of the pack name, and as what."""
        self._named_most = MAX_NAMED_OUTSIDE
        self.pack: Pack = read_pack(
            source, find_bases=lambda oids: packs.bases(repo.pk, oids), visit=self._visit
        )

    def _visit(self, kind: Kind, oid: bytes, raw: bytes) -> None:
        self._named_most += 1
        if kind is Kind.TREE:
            self._visit_tree(raw)
        elif kind is Kind.COMMIT:
            self._visit_commit(oid, raw)
        elif kind is Kind.TAG:
            check_tag(raw)
            self.tags[oid] = tagged(raw)
            self.expect(*self.tags[oid])

    def _visit_tree(self, raw: bytes) -> None:
        for mode, name, oid in self._trees.fresh_entries(raw):
            if mode != SUBMODULE_MODE:
                self.expect(oid, Kind.TREE if mode == TREE_MODE else Kind.BLOB)
                self._has_links |= mode == SYMLINK_MODE
                if is_gitmodules(name):
                    self._gitmodules.add(oid)

    def _visit_commit(self, oid: bytes, raw: bytes) -> None:
        check_commit(raw)
        self._commit_bytes += len(raw)
        if self._commit_bytes > MAX_COMMIT_TEXT_BYTES:
            raise BadObject("The commits of this push have too much text. Push them in parts.")
        commit = parse_commit(raw)
        self.commits[oid] = PushedCommit(commit.tree, commit.parents)
        self.expect(commit.tree, Kind.TREE)
        for parent in commit.parents:
            self.expect(parent, Kind.COMMIT)

    def expect(self, oid: bytes, kind: Kind) -> None:
        """Note that something names an object.

        Raises:
            BadObject: something else names it as another kind, or there is no end of it.
        """
        if self.expected.setdefault(oid, kind) is not kind:
            raise BadObject(f"{oid.hex()} is named as two kinds of object.")
        if len(self.expected) > self._named_most:
            raise BadObject("The pack names more objects than we look for.")

    def check_content(self, by: Principal) -> None:
        """Check what only a whole pack shows: kinds, sizes, large files, submodules.

        Raises:
            BadObject: an object is not of the kind as which it is named.
            TooLarge: a file should have come as a large file.
            BlobNotFound: a large file was not uploaded.
        UnsafeFile: loading a file would run code, and the repo's owner takes none such.
        """
        self._check_sizes()
        for oid, kind in self.expected.items():
            actual = self.pack.kind(oid)
            if actual not in {None, kind}:
                raise BadObject(f"{oid.hex()} is named as a {kind.name.lower()}, but is none.")
        for oid in self._gitmodules & set(self.pack):
            check_gitmodules(self.pack.raw(oid))
        self._check_large_files(by)
        self._check_safety()

    def _check_safety(self) -> None:
        with Guard(self._repo) as guard:
            if not guard.is_on_duty:
                return
            files = [oid for oid in self.pack if self.pack.kind(oid) is Kind.BLOB]
            paths = self._paths_of(files)
            for oid in files:
                guard.check(paths.get(oid, ""), self.pack.raw(oid))

    def outside(self) -> dict[bytes, Kind]:
        """What the pack names and does not have: the repo must have it."""
        return {oid: kind for oid, kind in self.expected.items() if oid not in self.pack}

    def is_tidy(self, tips: Collection[bytes]) -> bool:
        """Whether everything in the pack is named by something in it, or is one of ``tips``."""
        return all(oid in self.expected or oid in tips for oid in self.pack)

    def all_links(self) -> dict[bytes, str]:
        """The symbolic links of all commits of the pack, each with its path nearest to the root."""
        roots = {commit.tree for commit in self.commits.values()}
        moves = Kind.TREE in self.outside().values()
        # Without links of its own the pack can only have brought those of the repo elsewhere.
        return shallowest_links(self.read_trees, roots) if self._has_links or moves else {}

    def check_links(self, links: Mapping[bytes, str]) -> None:
        """Check where symbolic links point, given the path of each.

        Raises:
            BadObject: one leads out of the repo.
        """
        outside = [oid for oid in links if oid not in self.pack]
        long = {
            oid
            for oid, facts in blob_facts(self._repo.pk, outside).items()
            if facts.size > MAX_TARGET_BYTES
        }
        targets = read_many(self._repo.pk, [oid for oid in outside if oid not in long])
        for oid, path in links.items():
            if oid in self.pack:
                check_link(path, self.pack.raw(oid))
            elif oid in long or oid in targets:
                check_link(path, targets.get(oid, _TOO_LONG))

    def read_trees(self, oids: Collection[bytes]) -> Mapping[bytes, Tree]:
        """Read trees of the pack and of the repo."""
        inside = self._read_inside(oids)
        return inside | parsed_trees(self._repo.pk, [oid for oid in oids if oid not in inside])

    def _read_inside(self, oids: Iterable[bytes]) -> dict[bytes, Tree]:
        return {
            oid: parse_tree(self.pack.raw(oid)) for oid in oids if self.pack.kind(oid) is Kind.TREE
        }

    def _check_sizes(self) -> None:
        if not self.pack.oversized:
            return
        paths = self._paths_of([oid for _size, oid in self.pack.oversized if oid])
        lines = [
            f"{paths.get(oid or b'', 'A file')} has {size:,} bytes."
            for size, oid in self.pack.oversized[:_FILES_TOLD]
        ]
        raise TooLarge(
            "\n".join(lines) + f"\nFiles of more than {MAX_FILE_BYTES:,} bytes must be pushed "
            "through Git LFS: see `git lfs track` and `git lfs migrate import --above=10MB`."
        )

    def _check_large_files(self, by: Principal) -> None:
        pointers = self.pack.pointers
        digests = {pointer.sha256 for pointer in pointers.values()}
        sizes = blobs.held_or_adopted(repo=self._repo, digests=digests, by=by) if digests else {}
        missing = [oid for oid, one in pointers.items() if sizes.get(one.sha256) != one.size]
        if not missing:
            return
        paths = self._paths_of(missing)
        lines = [
            f"{paths.get(oid, 'A file')}: the object {pointers[oid].sha256.hex()} of "
            f"{pointers[oid].size:,} bytes was not uploaded to this repo."
            for oid in missing[:_FILES_TOLD]
        ]
        raise BlobNotFound("\n".join(lines) + "\nRun `git lfs push --all origin` first.")

    def _paths_of(self, wanted: Collection[bytes]) -> dict[bytes, str]:
        roots = (commit.tree for commit in self.commits.values())
        return paths_of(self._read_inside, roots, set(wanted))
