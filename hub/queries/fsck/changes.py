"""The table of changed paths: does it say what the trees of each commit say."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from hub.git.objects import Kind, Tree
from hub.models import sql
from hub.queries.fsck.history import History, Place, Standing
from hub.queries.fsck.objects import Inventory
from hub.queries.history import dir_key
from hub.queries.objects import read_trees

_HOMELESS = """
SELECT DISTINCT p.line, p.pos FROM path_change p
WHERE p.repo_id = %(repo)s AND NOT EXISTS (SELECT FROM git_commit c
    WHERE c.repo_id = %(repo)s AND c.line = p.line AND c.pos = p.pos)
"""
_CHANGES = """
SELECT line, pos, dir_key, name, deleted FROM path_change WHERE repo_id = %s ORDER BY line, pos
"""

Filed = dict[tuple[bytes, str], bool]
"""Key of the folder and name -> whether it is gone."""


def homeless_faults(repo_id: int) -> Iterator[str]:
    """Every change belongs to a commit."""
    for line, pos in sql.rows(_HOMELESS, {"repo": repo_id}):
        yield f"changes are filed at line {line}, position {pos}, where no commit stands"


def change_faults(history: History, inventory: Inventory) -> Iterator[str]:
    """Every path that a commit changed is filed under it, and none that it did not touch is gone.

    A path may be filed that is the same as before: the commit wrote it and took that back. Commits
    that a job is still to index are passed over.
    """
    filed, pending = _filed(inventory.repo_id), _pending(inventory.repo_id)
    for commit in history.commits.values():
        line, pos = commit.place
        if any(line == other and first <= pos <= last for other, first, last in pending):
            continue
        parent = history.commits.get(commit.parents[0]) if commit.parents else None
        if not _is_readable(commit, inventory) or (parent and not _is_readable(parent, inventory)):
            continue
        rows = filed.get(commit.place, {})
        for path, gone in differences(inventory, parent.tree if parent else None, commit.tree):
            folder, _, name = path.rpartition("/")
            row = rows.get((dir_key(folder), name))
            if row is None:
                yield f"commit {commit.oid.hex()} changed {path}, which is not filed"
            elif row != gone:
                yield f"commit {commit.oid.hex()}: {path} is {'' if row else 'not '}filed as gone"


def _filed(repo_id: int) -> dict[Place, Filed]:
    rows = sql.rows(_CHANGES, [repo_id])
    return {
        place: {(key, name): gone for _line, _pos, key, name, gone in group}
        for place, group in groupby(rows, key=lambda row: (row[0], row[1]))
    }


def _pending(repo_id: int) -> list[tuple[int, int, int]]:
    return [
        (line, first, last)
        for line, first, last in sql.rows(
            "SELECT line, next_pos, last_pos FROM hub_pendingindex WHERE repo_id = %s", [repo_id]
        )
    ]


def _is_readable(commit: Standing, inventory: Inventory) -> bool:
    return inventory.is_sound(commit.tree, Kind.TREE)


class _Pair(NamedTuple):
    """One folder before and after."""

    folder: str
    old: bytes | None
    new: bytes | None


def differences(
    inventory: Inventory, old: bytes | None, new: bytes | None
) -> Iterator[tuple[str, bool]]:
    """Every file and folder that differs between two trees, and whether it is gone."""
    waiting = [_Pair("", old, new)] if old != new else []
    while waiting:
        pair = waiting.pop()
        before, after = _entries(inventory, pair.old), _entries(inventory, pair.new)
        for name in sorted(before.keys() | after.keys()):
            one, other = before.get(name), after.get(name)
            if one == other:
                continue
            path = f"{pair.folder}{name.decode(errors='surrogateescape')}"
            yield path, other is None
            folders = [entry.oid if entry and entry.is_tree else None for entry in (one, other)]
            if any(folders):
                waiting.append(_Pair(f"{path}/", *folders))


def _entries(inventory: Inventory, oid: bytes | None) -> Tree:
    if oid is None or not inventory.is_sound(oid, Kind.TREE):
        return {}
    return read_trees(inventory.repo_id, [oid])[oid].entries
