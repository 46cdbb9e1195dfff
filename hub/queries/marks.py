"""Mark all objects that the refs of a repo lead to, for garbage collection to take the rest.

Marks lie in a temporary table, so that memory stays bounded however many there are; only what is
still to be looked into is held here. Nobody is kept from publishing meanwhile: whoever uses the
marks asks first whether the repo is still at the version at which they were made.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from hub.errors import BadObject
from hub.git.objects import TREE_MODE, Kind, SplitEntry
from hub.models import sql
from hub.queries.closure import Step, TreeReader
from hub.queries.reachable import Lines, Unsound, live_lines
from hub.queries.tags import chains

_SUBMODULE = b"160000"
_COMMITS_AT_ONCE = 500

Entries = set[SplitEntry]


@dataclass(frozen=True, slots=True)
class Marked:
    """A repo whose objects are marked: all that were reachable since it was at ``version``."""

    repo_id: int
    version: int
    lines: Lines
    tags: frozenset[bytes]


def mark(repo_id: int) -> Marked | None:
    """Mark what is reachable; None if the repo is gone. Marks of other repos are forgotten.

    Raises:
        Unsound: the repo is damaged.
    """
    sql.run("CREATE TEMPORARY TABLE IF NOT EXISTS git_mark (oid bytea PRIMARY KEY)")
    sql.run("TRUNCATE git_mark")
    version = _version(repo_id)
    if version is None:
        return None
    marked = mark_on(Marked(repo_id, version, {}, frozenset()))
    # What was marked in a moment has no statistics yet, and all that follows are large joins.
    sql.run("ANALYZE git_mark")
    _check_marks(repo_id)
    # While all that was looked into others went on: what they brought is much less.
    return mark_on(marked)


def mark_on(marked: Marked) -> Marked:
    """Mark what the refs lead to now, in addition to what is marked already.

    Raises:
        Unsound: the repo is damaged.
    """
    repo_id, old = marked.repo_id, marked.lines
    commits, tags = _refs(repo_id)
    lines = live_lines(repo_id, commits, old)
    _add(tags)
    _mark_commits(repo_id, lines, old)
    _Walk(repo_id).run(_steps(repo_id, lines, old))
    return replace(marked, lines=lines, tags=marked.tags | tags)


def is_exact(marked: Marked) -> bool:
    """Whether all that is marked can still be reached: nothing lost its last ref meanwhile."""
    commits, tags = _refs(marked.repo_id)
    return (live_lines(marked.repo_id, commits, {}), tags) == (marked.lines, marked.tags)


def _version(repo_id: int) -> int | None:
    row = sql.row("SELECT version FROM hub_repo WHERE id = %s", [repo_id])
    return row[0] if row else None


_REFS = """
SELECT r.oid, o.kind FROM git_ref r
LEFT JOIN git_object o ON o.repo_id = r.repo_id AND o.oid = r.oid WHERE r.repo_id = %s
"""


def _refs(repo_id: int) -> tuple[set[bytes], frozenset[bytes]]:
    """The commits that all refs come to, and the annotated tags on the way."""
    kinds: dict[bytes, int | None] = dict(sql.rows(_REFS, [repo_id]))
    tags = frozenset(oid for oid, kind in kinds.items() if kind == Kind.TAG)
    commits = {oid for oid, kind in kinds.items() if kind == Kind.COMMIT}
    if len(commits) + len(tags) < len(kinds):
        raise Unsound("a ref comes to no commit")
    try:
        found = chains(repo_id, tags).values()
    except (BadObject, zlib.error) as fault:
        raise Unsound(f"a tag is damaged: {fault}") from None
    all_tags = frozenset(oid for chain in found for oid in chain.tags)
    return commits | {chain.target for chain in found}, all_tags


_MARK_COMMITS = """
INSERT INTO git_mark
SELECT c.oid FROM unnest(%s::int[], %s::int[], %s::int[]) AS l(line, known, last)
JOIN git_commit c ON c.repo_id = %s AND c.line = l.line AND c.pos > l.known AND c.pos <= l.last
"""


def _mark_commits(repo_id: int, lines: Lines, old: Lines) -> None:
    known = [old.get(line, 0) for line in lines]
    count = sql.run(_MARK_COMMITS, [list(lines), known, list(lines.values()), repo_id])
    if count != sum(lines.values()) - sum(known):
        raise Unsound("a line of history has a hole")


_TREES = """
SELECT c.pos, c.tree, p.tree FROM git_commit c
LEFT JOIN git_commit p ON p.repo_id = c.repo_id AND p.oid = c.parents[1]
WHERE c.repo_id = %s AND c.line = %s AND c.pos > %s AND c.pos <= %s
ORDER BY c.pos LIMIT %s
"""


def _steps(repo_id: int, lines: Lines, old: Lines) -> Iterator[Step]:
    """The tree of every reachable commit, with the one of its first parent to compare it with.

    First parents come first: a line begins on one that is older.
    """
    for line, last in sorted(lines.items()):
        pos = old.get(line, 0)
        while pos < last:
            rows = sql.rows(_TREES, [repo_id, line, pos, last, _COMMITS_AT_ONCE])
            for _pos, tree, before in rows:
                yield tree, () if before is None else (before,)
            pos = rows[-1][0] if rows else last


class _Walk:
    """Marks trees and what they bring beyond those before them, a bounded number at a time.

    A tree is looked into once, though it may come up again and again, with other trees before it.
    What it has in common with the one before it is then marked for that one, unless that one is in
    turn compared with the first: two commits that take turns with their trees must not do so. So
    commits come in the order of history, their trees level by level, and of two that bring the same
    tree the earlier one counts: whatever a tree is compared with came up before it.
    """

    def __init__(self, repo_id: int) -> None:
        self._reader = TreeReader(repo_id)

    def run(self, steps: Iterator[Step]) -> None:
        while page := list(islice(steps, _COMMITS_AT_ONCE)):
            found: dict[bytes, Step] = {}
            for step in page:
                found.setdefault(step[0], step)
            level = _add_fresh(found)
            while level:
                level = [step for batch in self._batches(level) for step in self._below(batch)]

    def _batches(self, level: Sequence[Step]) -> Iterator[Sequence[Step]]:
        start = 0
        while start < len(level):
            end = start + self._reader.at_once
            yield level[start:end]
            start = end

    def _below(self, batch: Sequence[Step]) -> list[Step]:
        """Mark what is in these trees; answer those folders that were not marked before."""
        trees = self._read({oid for tree, bases in batch for oid in (tree, *bases)})
        folders: dict[bytes, Step] = {}
        files: set[bytes] = set()
        for oid, bases in batch:
            _look_into(trees[oid], [trees[base] for base in bases], folders, files)
        _add(files)
        return _add_fresh(folders)

    def _read(self, oids: set[bytes]) -> dict[bytes, Entries]:
        try:
            trees = self._reader.split(oids)
        except (KeyError, BadObject, zlib.error) as fault:
            raise Unsound(f"a tree is damaged: {fault!r}") from None
        if missing := oids - trees.keys():
            raise Unsound(f"the tree {min(missing).hex()} is missing")
        return trees


def _look_into(
    tree: Entries, bases: Sequence[Entries], folders: dict[bytes, Step], files: set[bytes]
) -> None:
    before: list[dict[bytes, bytes]] | None = None
    for mode, name, oid in tree.difference(*bases):
        if mode == TREE_MODE:
            if before is None:
                before = [{n: o for m, n, o in base if m == TREE_MODE} for base in bases]
            folders.setdefault(oid, (oid, tuple(old[name] for old in before if name in old)))
        elif mode != _SUBMODULE:
            files.add(oid)


def _add(oids: Iterable[bytes]) -> None:
    sql.run(
        "INSERT INTO git_mark SELECT * FROM unnest(%s::bytea[]) ON CONFLICT DO NOTHING",
        [list(oids)],
    )


def _add_fresh(found: Mapping[bytes, Step]) -> list[Step]:
    """Mark trees; answer those that were not marked before, in the same order."""
    rows = sql.rows(
        "INSERT INTO git_mark SELECT * FROM unnest(%s::bytea[]) ON CONFLICT DO NOTHING "
        "RETURNING oid",
        [list(found)],
    )
    fresh = {oid for (oid,) in rows}
    return [step for oid, step in found.items() if oid in fresh]


_LOST = """
SELECT m.oid FROM git_mark m
WHERE NOT EXISTS (SELECT FROM git_object o WHERE o.repo_id = %s AND o.oid = m.oid) LIMIT 1
"""


def _check_marks(repo_id: int) -> None:
    if lost := sql.row(_LOST, [repo_id]):
        raise Unsound(f"the object {lost[0].hex()} is missing")


_UNMARKED = """
SELECT o.kind, count(*), sum(octet_length(o.data))::bigint FROM git_object o
WHERE o.repo_id = %s AND NOT EXISTS (SELECT FROM git_mark m WHERE m.oid = o.oid)
GROUP BY o.kind ORDER BY o.kind
"""


class Pile(NamedTuple):
    """Objects of one kind: how many, and the bytes that they take."""

    objects: int
    nbytes: int


def unmarked(marked: Marked) -> dict[Kind, Pile]:
    """What nobody can reach, by kind."""
    rows = sql.rows(_UNMARKED, [marked.repo_id])
    return {Kind(kind): Pile(count, nbytes) for kind, count, nbytes in rows}


_LOST_KEYFRAMES = """
SELECT o.base, array_agg(o.oid ORDER BY o.size, o.oid)
FROM git_mark m JOIN git_object o ON o.repo_id = %s AND o.oid = m.oid
WHERE o.base IS NOT NULL AND NOT EXISTS (SELECT FROM git_mark k WHERE k.oid = o.base)
GROUP BY o.base
"""


def unmarked_keyframes(marked: Marked) -> dict[bytes, list[bytes]]:
    """Trees that nobody can reach, each with the reachable ones that are stored as deltas of it."""
    rows = sql.rows(_LOST_KEYFRAMES, [marked.repo_id])
    return dict(rows)
