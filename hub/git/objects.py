"""Blob, tree, commit, tag and LFS pointer: parse, build, hash (gitformat-pack, git-lfs spec 1)."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial
from typing import NamedTuple, cast

from hub.errors import BadObject

OID_BYTES = 20
MAX_POINTER_BYTES = 1024
FILE_MODE = b"100644"
TREE_MODE = b"40000"
SYMLINK_MODE = b"120000"


class Kind(IntEnum):
    """What an object is, with the numbers that packs use."""

    COMMIT = 1
    TREE = 2
    BLOB = 3
    TAG = 4


_WORDS = {Kind.COMMIT: b"commit", Kind.TREE: b"tree", Kind.BLOB: b"blob", Kind.TAG: b"tag"}


class Entry(NamedTuple):
    """One name in a tree: its mode as git writes it and the id of what it names."""

    mode: bytes
    oid: bytes

    @property
    def is_tree(self) -> bool:
        return self.mode == TREE_MODE


SplitEntry = tuple[bytes, bytes, bytes]
"""Mode, name and id."""
Tree = dict[bytes, Entry]
"""Name to entry, unordered; :func:`build_tree` puts it into git's order."""


def hash_object(kind: Kind, raw: bytes) -> bytes:
    """Answer the 20-byte id of an object."""
    return hashlib.sha1(b"%s %d\0" % (_WORDS[kind], len(raw)) + raw, usedforsecurity=False).digest()


# One regular expression reads a whole tree 20 times as fast as a loop over its bytes.
_ENTRIES = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)


def parse_tree(raw: bytes) -> Tree:
    """Read a tree.

    Raises:
        BadObject: some bytes are no entry.
    """
    entries = split_tree(raw)
    if not entries:
        return {}
    modes, names, oids = zip(*entries, strict=True)
    return dict(zip(names, map(_entry, zip(modes, oids, strict=True)), strict=True))


_entry = cast("Callable[[tuple[bytes, bytes]], Entry]", partial(tuple.__new__, Entry))
"""Like ``Entry._make``, without a step in Python: trees are what we read most of all."""


def split_tree(raw: bytes) -> list[SplitEntry]:
    """Read a tree as far as it takes to compare it with another one.

    Raises:
        BadObject: some bytes are no entry.
    """
    entries: list[SplitEntry] = _ENTRIES.findall(raw)
    used = sum([len(mode) + len(name) for mode, name, _oid in entries])
    if used + len(entries) * (OID_BYTES + 2) != len(raw):
        raise BadObject("A tree object is malformed.")
    return entries


def build_tree(tree: Mapping[bytes, Entry]) -> bytes:
    """Write a tree in git's order: as if the names of folders ended in a slash."""
    # Folders have thousands of entries, and a commit waits: no call for each of them.
    entries = [
        (name + b"/" if mode == TREE_MODE else name, b"%s %s\0%s" % (mode, name, oid))
        for name, (mode, oid) in tree.items()
    ]
    entries.sort()
    return b"".join([written for _place, written in entries])


@dataclass(frozen=True, slots=True)
class Signature:
    """Who did something, and when."""

    name: str
    email: str
    when: datetime

    def __bytes__(self) -> bytes:
        stamp = int(self.when.timestamp())
        return f"{_plain(self.name)} <{_plain(self.email)}> {stamp} +0000".encode()


def _plain(text: str) -> str:
    """Git's idents hold no angle brackets and no line ends."""
    return re.sub(r"[<>\n\0]", "", text).strip() or "unknown"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit object."""

    tree: bytes
    parents: tuple[bytes, ...]
    author: Signature
    message: str

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0]

    @property
    def body(self) -> str:
        return self.message.partition("\n")[2].strip("\n")

    def __bytes__(self) -> bytes:
        lines = [b"tree " + self.tree.hex().encode()]
        lines += [b"parent " + parent.hex().encode() for parent in self.parents]
        lines += [b"author " + bytes(self.author), b"committer " + bytes(self.author), b""]
        return b"\n".join(lines) + b"\n" + self.message.encode() + b"\n"


_IDENT = re.compile(rb"(.*?) ?<([^>]*)> (-?\d+) [+-]\d{4}")


def parse_commit(raw: bytes) -> Commit:
    """Read a commit; headers that we don't keep (signature, encoding) are skipped.

    Raises:
        BadObject: it has no tree or no author.
    """
    head, _, message = raw.partition(b"\n\n")
    headers = [line.partition(b" ")[::2] for line in head.split(b"\n")]
    tree = next((value for key, value in headers if key == b"tree"), b"")
    author = next((value for key, value in headers if key == b"author"), b"")
    ident = _IDENT.fullmatch(author)
    if not tree or ident is None:
        raise BadObject("A commit object is malformed.")
    return Commit(
        tree=bytes.fromhex(tree.decode()),
        parents=tuple(bytes.fromhex(v.decode()) for key, v in headers if key == b"parent"),
        author=Signature(
            ident[1].decode(errors="replace"),
            ident[2].decode(errors="replace"),
            datetime.fromtimestamp(int(ident[3]), UTC),
        ),
        message=message.decode(errors="replace").rstrip("\n"),
    )


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag of a commit."""

    target: bytes
    name: str
    tagger: Signature
    message: str

    def __bytes__(self) -> bytes:
        lines = [b"object " + self.target.hex().encode(), b"type commit"]
        lines += [b"tag " + self.name.encode(), b"tagger " + bytes(self.tagger), b""]
        return b"\n".join(lines) + b"\n" + self.message.encode() + b"\n"


_TAGGED = re.compile(rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\n")
_KINDS = {word: kind for kind, word in _WORDS.items()}


class Tagged(NamedTuple):
    """What an annotated tag names."""

    oid: bytes
    kind: Kind


def tagged(raw: bytes) -> Tagged:
    """Answer what an annotated tag names; that may be another one.

    Raises:
        BadObject: it is malformed.
    """
    found = _TAGGED.match(raw)
    if found is None:
        raise BadObject("A tag object is malformed.")
    return Tagged(bytes.fromhex(found[1].decode()), _KINDS[found[2]])


class Pointer(NamedTuple):
    """What git stores instead of a large file: the file's SHA-256 and its size in bytes."""

    sha256: bytes
    size: int

    def __bytes__(self) -> bytes:
        return b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n" % (
            self.sha256.hex().encode(),
            self.size,
        )


_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n"
)


def parse_pointer(raw: bytes) -> Pointer | None:
    """Answer the pointer that ``raw`` is, or None for an ordinary file."""
    if len(raw) > MAX_POINTER_BYTES:
        return None
    found = _POINTER.fullmatch(raw)
    return Pointer(bytes.fromhex(found[1].decode()), int(found[2])) if found else None


def folders_of(paths: Iterable[str]) -> set[str]:
    """Answer every folder that holds one of ``paths``, at any depth; the root is not named."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
