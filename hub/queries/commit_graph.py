"""Which commits a fetch is about: walks over parents, loaded in runs along the lines of history."""

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hub.git.fetch_request import INFINITE_DEPTH, Deepening
from hub.models import sql

_FIRST_RUN = 32
_LONGEST_RUN = 4096
"""Each time that a walk runs out of commits it loads twice as many, up to here."""


class Node(NamedTuple):
    """A commit, as walks need it."""

    oid: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    at: datetime
    pos: int


_RUN = """
SELECT c.oid, c.tree, c.parents, c.created_at, c.pos
FROM git_commit s
JOIN git_commit c ON c.repo_id = s.repo_id AND c.line = s.line
    AND c.pos BETWEEN s.pos - %s AND s.pos
WHERE s.repo_id = %s AND s.oid = ANY(%s)
"""


class CommitGraph:
    """The commits of one repo; those that a walk comes to are read with their ancestors."""

    def __init__(self, repo_id: int) -> None:
        self._repo_id = repo_id
        self._nodes: dict[bytes, Node] = {}
        self._run = _FIRST_RUN

    def load(self, oids: Iterable[bytes], run: int = 0) -> set[bytes]:
        """Read commits, each with ``run`` before it on its line; answer those that exist."""
        wanted = set(oids)
        missing = [oid for oid in wanted if oid not in self._nodes]
        if missing:
            for oid, tree, parents, at, pos in sql.rows(_RUN, [run, self._repo_id, missing]):
                self._nodes[oid] = Node(oid, tree, tuple(parents), at, pos)
        return {oid for oid in wanted if oid in self._nodes}

    def at(self, oid: bytes) -> Node:
        """Answer a commit that exists, and have those before it at hand."""
        if oid not in self._nodes:
            self.load([oid], self._run)
            self._run = min(2 * self._run, _LONGEST_RUN)
        return self._nodes[oid]

    def closure(self, starts: Iterable[bytes], ends: Collection[bytes]) -> set[bytes]:
        """All commits that ``starts`` lead to; the parents of ``ends`` are not looked at."""
        found: set[bytes] = set()
        waiting = list(starts)
        while waiting:
            oid = waiting.pop()
            if oid not in found:
                found.add(oid)
                waiting += () if oid in ends else self.at(oid).parents
        return found


@dataclass(slots=True)
class Ends:
    """Where history is to end in a shallow clone."""

    inside: set[bytes] = field(default_factory=set)
    """Commits that keep their parents."""
    last: set[bytes] = field(default_factory=set)
    """Commits that lose them."""


def ends_of(
    graph: CommitGraph, wants: Collection[bytes], shallow: Collection[bytes], asked: Deepening
) -> Ends:
    """Where a clone of ``wants``, that ends at ``shallow`` now, is to end from now on.

    The refs of ``asked.without`` must have been turned into ids by then: see :func:`ends_since`.
    """
    if asked.depth == INFINITE_DEPTH and not asked.relative:
        return Ends(inside=graph.closure([*wants, *shallow], ends=()))
    if asked.relative:
        reached = graph.closure(wants, ends=shallow)
        return _ends_at_depth(graph, reached.intersection(shallow), asked.depth + 1)
    return _ends_at_depth(graph, wants, asked.depth)


def ends_since(
    graph: CommitGraph,
    wants: Collection[bytes],
    since: datetime | None,
    without: Collection[bytes],
) -> Ends:
    """Like :func:`ends_of`, by age and by refs whose history is left out."""
    left_out = graph.closure(without, ends=())
    kept: set[bytes] = set()
    waiting = list(wants)
    while waiting:
        oid = waiting.pop()
        node = graph.at(oid)
        if oid in kept or oid in left_out or (since and node.at < since):
            continue
        kept.add(oid)
        waiting += node.parents
    last = {oid for oid in kept if not kept.issuperset(graph.at(oid).parents)}
    return Ends(kept - last, last)


def _ends_at_depth(graph: CommitGraph, starts: Collection[bytes], depth: int) -> Ends:
    inside: set[bytes] = set()
    level = set(starts)
    while level and depth > 1:
        inside |= level
        level = {parent for oid in level for parent in graph.at(oid).parents} - inside
        depth -= 1
    roots = {oid for oid in level if not graph.at(oid).parents}
    return Ends(inside | roots, level - roots)


@dataclass(slots=True)
class Missing:
    """What a client lacks of the history of what it wants."""

    commits: list[bytes] = field(default_factory=list)
    """Newest first."""
    edge: set[bytes] = field(default_factory=set)
    """Commits that the client has, as far as the walk met them."""


def missing_commits(
    graph: CommitGraph, wants: Iterable[bytes], haves: Iterable[bytes], ends: Collection[bytes]
) -> Missing:
    """Walk from both sides, newest first, until only what the client has is left.

    Clocks that run wrong make it answer a commit too many, never one too few.
    """
    walk = _TwoSided(graph)
    for oid in wants:
        walk.push(oid, had=False)
    for oid in haves:
        walk.push(oid, had=True)
    while walk.open:
        walk.step(ends)
    return Missing(
        [oid for oid in walk.order if not walk.had[oid]],
        {oid for oid, had in walk.had.items() if had},
    )


class _TwoSided:
    """Commits in the order of their age, each marked as wanted or as had."""

    def __init__(self, graph: CommitGraph) -> None:
        self._graph = graph
        self._queue: list[tuple[float, bool, int, bytes]] = []
        self.had: dict[bytes, bool] = {}
        self.open: set[bytes] = set()
        """Wanted commits that wait in the queue."""
        self.order: dict[bytes, None] = {}

    def push(self, oid: bytes, *, had: bool) -> None:
        known = self.had.get(oid)
        if known is None or (had and not known):
            self.had[oid] = had
            (self.open.discard if had else self.open.add)(oid)
            node = self._graph.at(oid)
            # Within a second what the client has goes first: it can only spare work, and positions
            # of different lines do not compare.
            heapq.heappush(self._queue, (-node.at.timestamp(), not had, -node.pos, oid))

    def step(self, ends: Collection[bytes]) -> None:
        oid = heapq.heappop(self._queue)[3]
        had = self.had[oid]
        self.open.discard(oid)
        if not had:
            self.order[oid] = None
        if oid not in ends:
            for parent in self._graph.at(oid).parents:
                self.push(parent, had=had)


def all_lead_to(
    graph: CommitGraph, missing: Missing, wants: Iterable[bytes], ends: Collection[bytes]
) -> bool:
    """Whether each wanted commit comes from one that the client has."""
    led = set(missing.edge)
    for oid in reversed(missing.commits):
        if oid not in ends and not led.isdisjoint(graph.at(oid).parents):
            led.add(oid)
    return led.issuperset(wants)
