"""Where two commits come from: the newest commits that both lead to."""

from collections.abc import Iterable
from typing import NamedTuple

from hub.models import sql
from hub.queries.reachable import Lines, live_lines


class Place(NamedTuple):
    """A commit and its place in the lines of history."""

    oid: bytes
    line: int
    pos: int

    def is_in(self, lines: Lines) -> bool:
        return lines.get(self.line, 0) >= self.pos


_AT = """
SELECT c.oid, c.line, c.pos
FROM unnest(%s::int[], %s::int[]) AS p(line, pos)
JOIN git_commit c ON c.repo_id = %s AND c.line = p.line AND c.pos = p.pos
ORDER BY c.created_at DESC, c.oid
"""


def merge_bases(repo_id: int, one: bytes, other: bytes) -> list[bytes]:
    """The commits that both lead to and that no other such commit leads to.

    There is one as a rule, none if they share no history, several if they were merged crosswise.

    Raises:
        Unsound: a commit is missing.
    """
    left, right = (live_lines(repo_id, {oid}, {}) for oid in (one, other))
    common = {line: min(pos, right[line]) for line, pos in left.items() if line in right}
    rows = sql.rows(_AT, [list(common), list(common.values()), repo_id])
    return [place.oid for place in _newest(repo_id, map(Place._make, rows))]


def _newest(repo_id: int, places: Iterable[Place]) -> list[Place]:
    """Those of ``places`` that no other of them leads to."""
    kept: list[Place] = []
    covered: Lines = {}
    for place in places:
        if not place.is_in(covered):
            kept.append(place)
            covered = live_lines(repo_id, {place.oid}, covered)
    # Clocks run wrong: one that came later in the order may yet lead to one before it.
    reach = {place: live_lines(repo_id, {place.oid}, {}) for place in kept} if kept[1:] else {}
    return [
        place
        for place in kept
        if not any(place.is_in(lines) for other, lines in reach.items() if other != place)
    ]


def leads_to(repo_id: int, later: bytes, earlier: bytes) -> bool:
    """Whether ``earlier`` is ``later`` or one of those that it comes from."""
    return merge_bases(repo_id, later, earlier) == [earlier]
