"""Which commits some others lead to: a position on each line, and so exact without a walk."""

from collections.abc import Iterable

from hub.models import sql

Lines = dict[int, int]
"""Each line on which something is reachable, and the last position on it that is.

All before that is reachable too, for a commit stands on its first parent."""


class Unsound(Exception):
    """Something that the refs lead to is missing or damaged."""


_PLACES = "SELECT line, pos FROM git_commit WHERE repo_id = %s AND oid = ANY(%s)"
_LEADS_TO = """
WITH span AS (
    SELECT * FROM unnest(%(lines)s::int[], %(firsts)s::int[], %(lasts)s::int[]) AS s(line, a, z)
)
SELECT l.parent_line, l.parent_pos FROM span s
JOIN git_line l ON l.repo_id = %(repo)s AND l.line = s.line
WHERE s.a = 1 AND l.parent_line IS NOT NULL
UNION
SELECT p.line, p.pos FROM span s
JOIN git_commit c ON c.repo_id = %(repo)s AND c.line = s.line AND c.pos BETWEEN s.a AND s.z
CROSS JOIN LATERAL unnest(c.parents[2:]) AS other(oid)
LEFT JOIN git_commit p ON p.repo_id = %(repo)s AND p.oid = other.oid
WHERE cardinality(c.parents) > 1
"""


def live_lines(repo_id: int, commits: set[bytes], old: Lines) -> Lines:
    """What ``commits`` lead to, in addition to what ``old`` says.

    Raises:
        Unsound: a commit is missing.
    """
    live = dict(old)
    found = sql.rows(_PLACES, [repo_id, list(commits)])
    if len(found) < len(commits):
        raise Unsound("a commit that a ref comes to is missing")
    while spans := _spans_beyond(live, found):
        lines, firsts, lasts = (list(column) for column in zip(*spans, strict=True))
        live |= dict(zip(lines, lasts, strict=True))
        values = {"repo": repo_id, "lines": lines, "firsts": firsts, "lasts": lasts}
        found = sql.rows(_LEADS_TO, values)
        if any(line is None for line, _pos in found):
            raise Unsound("a parent of a commit is missing")
    return live


def _spans_beyond(live: Lines, found: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """The runs of lines up to ``found`` that are not known to be reachable yet."""
    last: Lines = {}
    for line, pos in found:
        last[line] = max(pos, last.get(line, 0))
    return [
        (line, live.get(line, 0) + 1, pos) for line, pos in last.items() if pos > live.get(line, 0)
    ]
