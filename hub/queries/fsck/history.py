"""Refs, commits and the lines they stand in: do they fit together, and are all files there."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hub.git.objects import Entry, Kind
from hub.git.refs import BRANCHES
from hub.models import Repo, sql
from hub.queries.fsck.objects import Inventory
from hub.queries.objects import read_trees

_TREES_AT_A_TIME = 500
_SUBMODULE = b"160000"

Place = tuple[int, int]
"""A line and a position in it."""


class Standing(NamedTuple):
    """A commit's row: where it stands and what it names."""

    oid: bytes
    place: Place
    tree: bytes
    parents: tuple[bytes, ...]


class History(NamedTuple):
    """All refs, commits and lines of one repo."""

    refs: dict[str, bytes]
    commits: dict[bytes, Standing]
    lines: dict[int, tuple[int | None, int | None]]


def history_of(repo_id: int) -> History:
    refs = sql.rows("SELECT name, oid FROM git_ref WHERE repo_id = %s", [repo_id])
    commits = sql.rows(
        "SELECT oid, line, pos, tree, parents FROM git_commit WHERE repo_id = %s "
        "ORDER BY line, pos",
        [repo_id],
    )
    lines = sql.rows(
        "SELECT line, parent_line, parent_pos FROM git_line WHERE repo_id = %s", [repo_id]
    )
    return History(
        dict(refs),
        {
            oid: Standing(oid, (line, pos), tree, tuple(parents))
            for oid, line, pos, tree, parents in commits
        },
        {line: (parent_line, parent_pos) for line, parent_line, parent_pos in lines},
    )


def ref_faults(repo: Repo, history: History, inventory: Inventory) -> Iterator[str]:
    """Every ref comes to a commit, and the default branch is there."""
    if BRANCHES + repo.default_branch not in history.refs:
        yield f"the default branch {repo.default_branch} is missing"
    for name, oid in history.refs.items():
        if inventory.chain(oid)[-1] not in history.commits:
            yield f"{name} points to {oid.hex()}, which comes to no commit"


def commit_faults(history: History, inventory: Inventory) -> Iterator[str]:
    """Every commit's row says what its object says, and all parents are there."""
    for commit in history.commits.values():
        said = inventory.commits.get(commit.oid)
        if said is None:
            if commit.oid not in inventory.broken:
                yield f"the commit {commit.oid.hex()} has no object"
        elif said != (commit.tree, commit.parents):
            yield f"the row of commit {commit.oid.hex()} names another tree or other parents"
        for parent in commit.parents:
            if parent not in history.commits:
                yield f"the parent {parent.hex()} of commit {commit.oid.hex()} is missing"


def line_faults(repo: Repo, history: History) -> Iterator[str]:
    """Positions run 1, 2, …, each on its first parent; a line begins where its row says."""
    at: dict[Place, bytes] = {row.place: oid for oid, row in history.commits.items()}
    for commit in history.commits.values():
        before = _place_before(commit, history)
        expected = at.get(before) if before else None
        if before and expected is None:
            yield f"line {commit.place[0]} has a hole before commit {commit.oid.hex()}"
        elif (commit.parents[:1] or (None,)) != (expected,):
            yield f"commit {commit.oid.hex()} does not stand on its first parent"
    for line in sorted({line for line, _pos in at} ^ history.lines.keys()):
        yield f"line {line} has commits or a row, but not both"
    if history.lines and max(history.lines) >= repo.next_line:
        yield f"line {max(history.lines)} exists, and the next would be {repo.next_line}"


def _place_before(commit: Standing, history: History) -> Place | None:
    line, pos = commit.place
    if pos > 1:
        return line, pos - 1
    parent_line, parent_pos = history.lines.get(line, (None, None))
    return None if parent_line is None or parent_pos is None else (parent_line, parent_pos)


class Reach(NamedTuple):
    """What the refs lead to, and what is missing on the way."""

    commits: set[bytes]
    trees: set[bytes]
    blobs: set[bytes]
    faults: list[str]


def reach(history: History, inventory: Inventory) -> Reach:
    """Walk from all refs through commits and trees; every tree is read once."""
    found = Reach(_reachable_commits(history, inventory), set(), set(), [])
    roots = [history.commits[oid].tree for oid in found.commits]
    waiting: list[bytes] = []
    for tree in roots:
        if tree not in inventory.kinds:
            found.faults.append(f"the tree {tree.hex()} of a commit is missing")
        waiting.append(tree)
    while waiting:
        oids = {oid for oid in waiting if inventory.is_sound(oid, Kind.TREE)} - found.trees
        found.trees.update(oids)
        waiting = []
        for batch in _batches(sorted(oids)):
            for tree, loaded in read_trees(inventory.repo_id, batch).items():
                waiting += _look_into(tree, loaded.entries.items(), inventory, found)
    return found


def garbage_faults(
    repo: Repo, history: History, inventory: Inventory, reach: Reach
) -> Iterator[str]:
    """A repo in which something is unreachable is marked so: else a clone would get all of it."""
    is_damaged = bool(reach.faults or inventory.broken)
    tags = {one for oid in history.refs.values() for one in inventory.chain(oid)}
    reachable = reach.commits | reach.trees | reach.blobs | tags
    if not repo.dirty and not is_damaged and (count := len(inventory.kinds.keys() - reachable)):
        yield f"{count} objects are unreachable, and that is not noted"


def _reachable_commits(history: History, inventory: Inventory) -> set[bytes]:
    waiting = [inventory.chain(oid)[-1] for oid in history.refs.values()]
    seen: set[bytes] = set()
    while waiting:
        oid = waiting.pop()
        if oid not in seen and oid in history.commits:
            seen.add(oid)
            waiting += history.commits[oid].parents
    return seen


def _batches(oids: list[bytes]) -> Iterator[list[bytes]]:
    return (oids[at : at + _TREES_AT_A_TIME] for at in range(0, len(oids), _TREES_AT_A_TIME))


def _look_into(
    tree: bytes, entries: Iterable[tuple[bytes, Entry]], inventory: Inventory, found: Reach
) -> Iterator[bytes]:
    """Note the files of a tree, and yield its folders."""
    for name, entry in entries:
        if entry.mode == _SUBMODULE:
            continue
        if inventory.kinds.get(entry.oid) != (Kind.TREE if entry.is_tree else Kind.BLOB):
            shown = name.decode(errors="replace")
            found.faults.append(f"the tree {tree.hex()} names {shown} ({entry.oid.hex()}): missing")
        elif entry.is_tree:
            yield entry.oid
        else:
            found.blobs.add(entry.oid)
