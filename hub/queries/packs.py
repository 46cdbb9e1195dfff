"""What a push asks of the repo: bases of deltas, and whether what it names is there."""

from collections.abc import Iterable, Mapping, Sequence

from hub.git.objects import Kind
from hub.git.stored import Keyframe
from hub.git.unpacked import Base
from hub.models import sql
from hub.queries.objects import inflate

_AT_A_TIME = 50_000

_BASES = """
SELECT o.oid, o.kind, o.data, o.base, b.data
FROM git_object o
LEFT JOIN git_object b ON b.repo_id = o.repo_id AND b.oid = o.base
WHERE o.repo_id = %s AND o.oid = ANY(%s)
"""


def bases(repo_id: int, oids: Sequence[bytes]) -> dict[bytes, Base]:
    """Read those of ``oids`` that the repo has; a tree with its keyframe."""
    found: dict[bytes, Base] = {}
    for oid, kind, data, base, base_data in sql.rows(_BASES, [repo_id, list(oids)]):
        raw = inflate(data, base_data)
        keyframe = None
        if kind == Kind.TREE:
            keyframe = Keyframe(base, inflate(base_data, None)) if base else Keyframe(oid, raw)
        found[oid] = Base(Kind(kind), raw, keyframe)
    return found


_IN_FULL = """
SELECT o.oid FROM git_object o WHERE o.repo_id = %s AND o.oid = ANY(%s) AND o.base IS NULL
"""


def stored_in_full(repo_id: int, oids: Iterable[bytes]) -> set[bytes]:
    """Those of ``oids`` that rows may be deltas of."""
    return {oid for (oid,) in sql.rows(_IN_FULL, [repo_id, list(oids)])}


_MISSING = """
SELECT w.oid FROM unnest(%s::bytea[], %s::int2[]) AS w(oid, kind)
WHERE NOT EXISTS (SELECT FROM git_object o
    WHERE o.repo_id = %s AND o.oid = w.oid AND o.kind = w.kind)
"""
_MISSING_COMMITS = """
SELECT w.oid FROM unnest(%s::bytea[]) AS w(oid)
WHERE NOT EXISTS (SELECT FROM git_commit c WHERE c.repo_id = %s AND c.oid = w.oid)
"""


def missing(repo_id: int, expected: Mapping[bytes, Kind]) -> list[bytes]:
    """Those of ``expected`` that the repo does not have, or has as something else."""
    commits = [oid for oid, kind in expected.items() if kind is Kind.COMMIT]
    others = [(oid, int(kind)) for oid, kind in expected.items() if kind is not Kind.COMMIT]
    found: list[tuple[bytes]] = []
    for start in range(0, len(commits), _AT_A_TIME):
        found += sql.rows(_MISSING_COMMITS, [commits[start : start + _AT_A_TIME], repo_id])
    for start in range(0, len(others), _AT_A_TIME):
        oids, kinds = zip(*others[start : start + _AT_A_TIME], strict=True)
        found += sql.rows(_MISSING, [list(oids), list(kinds), repo_id])
    return [oid for (oid,) in found]
