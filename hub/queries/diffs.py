"""What differs between two trees, and the unified diff of it."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hub.git.objects import Tree
from hub.models import Repo
from hub.queries.objects import read_raw, read_trees
from hub.queries.scans import withheld

MAX_DIFF_BYTES = 256 * 1024
"""Larger files are named in a diff, not shown."""
NOTHING = b""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs; None stands for «is not there»."""

    path: str
    old: bytes | None
    new: bytes | None

    @property
    def status(self) -> str:
        if self.old is None:
            return "added"
        return "deleted" if self.new is None else "modified"


def changed_files(repo_id: int, old: bytes | None, new: bytes | None) -> list[FileChange]:
    """List the files that differ between two trees (None: no tree), by path.

    Equal subtrees have equal ids, so only folders that differ are read: two queries per depth.
    """
    waiting = [_Pair("", old, new)]
    found: list[FileChange] = []
    while waiting:
        trees = read_trees(repo_id, (oid for pair in waiting for oid in pair.sides if oid))
        deeper: list[_Pair] = []
        for pair in waiting:
            before, after = (trees[oid].entries if oid else {} for oid in pair.sides)
            folders, files = _differing(pair.path, before, after)
            deeper += folders
            found += files
        waiting = deeper
    return sorted(found, key=lambda change: change.path)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A folder as it was and as it is."""

    path: str
    old: bytes | None
    new: bytes | None

    @property
    def sides(self) -> tuple[bytes | None, bytes | None]:
        return self.old, self.new


def _differing(folder: str, before: Tree, after: Tree) -> tuple[list[_Pair], list[FileChange]]:
    """The folders and the files that differ; a name may change from one to the other."""
    folders: list[_Pair] = []
    files: list[FileChange] = []
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        path = f"{folder}/{name.decode(errors='replace')}".removeprefix("/")
        trees = [side.oid if side and side.is_tree else None for side in (old, new)]
        blobs = [side.oid if side and not side.is_tree else None for side in (old, new)]
        if any(trees):
            folders.append(_Pair(path, *trees))
        if any(blobs):
            files.append(FileChange(path, *blobs))
    return folders, files


def unified(repo: Repo, old: bytes | None, new: bytes | None) -> str:
    """Answer the unified diff between two trees, as ``git diff`` writes it.

    Files that scanners have not let out are named and not shown.
    """
    changes = changed_files(repo.pk, old, new)
    kept = withheld(repo, [oid for one in changes for oid in (one.old, one.new) if oid])
    return "".join("".join(_of_file(repo.pk, change, kept)) for change in changes)


def _of_file(repo_id: int, change: FileChange, kept: Collection[bytes]) -> Iterator[str]:
    yield f"diff --git a/{change.path} b/{change.path}\n"
    if change.old is None:
        yield "new file mode 100644\n"
    if change.new is None:
        yield "deleted file mode 100644\n"
    yield f"index {_short(change.old)}..{_short(change.new)}\n"
    if change.old in kept or change.new in kept:
        yield f"Files a/{change.path} and b/{change.path} differ; scanners have let neither out\n"
        return
    yield from diff_lines(repo_id, change)


def diff_lines(repo_id: int, change: FileChange) -> Iterator[str]:
    """Yield the lines of one file's diff, each with its line end; binary files say so."""
    before = read_raw(repo_id, change.old)[1] if change.old else NOTHING
    after = read_raw(repo_id, change.new)[1] if change.new else NOTHING
    old_name = f"a/{change.path}" if change.old else "/dev/null"
    new_name = f"b/{change.path}" if change.new else "/dev/null"
    if any(len(raw) > MAX_DIFF_BYTES or b"\0" in raw for raw in (before, after)):
        yield f"Binary files {old_name} and {new_name} differ\n"
        return
    lines = [raw.decode(errors="replace").splitlines(keepends=True) for raw in (before, after)]
    for line in difflib.unified_diff(lines[0], lines[1], old_name, new_name):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _short(oid: bytes | None) -> str:
    return oid.hex()[:10] if oid else "0" * 10
