"""Merge two trees by path: what only one side changed is taken from it, the rest is a conflict.

The content of files is not looked into. Where histories crossed there are several bases; a path is
merged only if all of them come to the same result.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hub.errors import BadPath
from hub.git.objects import Entry, Tree
from hub.names import MAX_DEPTH

MAX_PATHS = 100_000
"""Files that one merge may bring."""

ReadTrees = Callable[[Collection[bytes]], Mapping[bytes, Tree]]
_NONE: Tree = {}


@dataclass(slots=True)
class Merged:
    """What a merge does to our tree, or why it can't be done."""

    changes: dict[str, Entry | None] = field(default_factory=dict)
    """Files to put, and (None) to delete; deletions of a path come before what is put below it."""
    conflicts: list[str] = field(default_factory=list)
    """Paths that both sides changed, in order."""


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is at one path: in our tree, in theirs, and in each base."""

    path: str
    ours: Entry | None
    theirs: Entry | None
    bases: tuple[Entry | None, ...]


def merge(read: ReadTrees, *, bases: Sequence[bytes], ours: bytes, theirs: bytes) -> Merged:
    """Merge the tree ``theirs`` into ``ours``; without a base all of both is new.

    Raises:
        BadPath: too many files differ, or folders are too deep.
    """
    merged = Merged()
    level = [("", ours, theirs, tuple(bases) or (b"",))]
    for _depth in range(MAX_DEPTH + 1):
        if not level:
            break
        wanted = {oid for _path, one, other, old in level for oid in (one, other, *old) if oid}
        trees = read(wanted)
        level = [folder for sides in _differing(level, trees) for folder in _settle(sides, merged)]
        if len(merged.changes) > MAX_PATHS:
            raise BadPath(f"The merge brings more than {MAX_PATHS:,} files.")
    if level:
        raise BadPath(f"A folder is more than {MAX_DEPTH} folders deep.")
    merged.conflicts.sort()
    return merged


_Folder = tuple[str, bytes, bytes, tuple[bytes, ...]]
"""Its path with a slash, and its tree on each side; no tree is the empty id."""


def _differing(level: Sequence[_Folder], trees: Mapping[bytes, Tree]) -> list[_Sides]:
    found: list[_Sides] = []
    for path, ours_oid, theirs_oid, base_oids in level:
        ours, theirs, *bases = (
            trees[oid] if oid else _NONE for oid in (ours_oid, theirs_oid, *base_oids)
        )
        for name in sorted({name for name, _entry in ours.items() ^ theirs.items()}):
            old = tuple(base.get(name) for base in bases)
            full = path + name.decode(errors="surrogateescape")
            found.append(_Sides(full, ours.get(name), theirs.get(name), old))
    return found


def _settle(sides: _Sides, merged: Merged) -> list[_Folder]:
    """Note what comes of one path; answer the folder to look into, if that has to say."""
    if all(old == sides.theirs for old in sides.bases):
        return []
    ours, theirs = sides.ours, sides.theirs
    there = [one for one in (ours, theirs) if one is not None]
    if all(one.is_tree for one in there):
        return [_inside(sides)]
    if not all(old == ours for old in sides.bases):
        merged.conflicts.append(sides.path)
        return []
    # A file may take the place of a folder, or a folder that of a file: all below it changes.
    merged.changes[sides.path] = None if theirs is None or theirs.is_tree else theirs
    return [_inside(sides)] if any(one.is_tree for one in there) else []


def _inside(sides: _Sides) -> _Folder:
    ours, theirs, *bases = (
        one.oid if one is not None and one.is_tree else b""
        for one in (sides.ours, sides.theirs, *sides.bases)
    )
    return f"{sides.path}/", ours, theirs, tuple(bases)
