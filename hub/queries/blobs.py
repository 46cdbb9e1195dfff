"""Which large files a repo holds, and who else holds them."""

from collections.abc import Iterable
from typing import NamedTuple

from hub.models import sql


class Held(NamedTuple):
    """A large file that a repo may name: its size in bytes, and in which forms it is held."""

    size: int
    xet_hash: bytes | None
    as_blob: bool = True
    blob_is_damaged: bool = False


_HELD = """
SELECT b.sha256, b.size, NULL::bytea, b.damaged_at IS NOT NULL
FROM hub_repoblob r JOIN hub_blob b ON b.sha256 = r.blob_id
WHERE r.repo_id = %(repo)s AND r.blob_id = ANY(%(digests)s)
UNION ALL
SELECT r.sha256, f.size, f.hash, false
FROM hub_xetrepofile r JOIN hub_xetfile f ON f.id = r.file_id
WHERE r.repo_id = %(repo)s AND r.sha256 = ANY(%(digests)s)
"""


def held(repo_id: int, digests: Iterable[bytes]) -> dict[bytes, Held]:
    """Answer those of ``digests`` (SHA-256) that the repo may name, in one query."""
    wanted = list(set(digests))
    if not wanted:
        return {}
    found: dict[bytes, Held] = {}
    rows = sql.rows(_HELD, {"repo": repo_id, "digests": wanted})
    for sha256, size, xet_hash, is_damaged in rows:
        other = found.get(sha256)
        found[sha256] = Held(
            size,
            xet_hash or (other.xet_hash if other else None),
            as_blob=xet_hash is None or (other is not None and other.as_blob),
            blob_is_damaged=is_damaged or (other is not None and other.blob_is_damaged),
        )
    return found


def damaged(digests: Iterable[bytes]) -> set[bytes]:
    """Those of ``digests`` whose blob is known to be damaged, whoever holds it."""
    rows = sql.rows(
        "SELECT sha256 FROM hub_blob WHERE sha256 = ANY(%s) AND damaged_at IS NOT NULL",
        [list(digests)],
    )
    return {sha256 for (sha256,) in rows}


_HOLDERS = """
SELECT sha256, array_agg(repo_id) FROM (
    SELECT r.blob_id AS sha256, r.repo_id FROM hub_repoblob r WHERE r.blob_id = ANY(%(digests)s)
    UNION
    SELECT r.sha256, r.repo_id FROM hub_xetrepofile r WHERE r.sha256 = ANY(%(digests)s)
) holder GROUP BY sha256
"""


def holders(digests: Iterable[bytes]) -> dict[bytes, list[int]]:
    """For each of ``digests`` the ids of all repos that hold it; who may see them is not asked."""
    rows = sql.rows(_HOLDERS, {"digests": list(set(digests))})
    return dict(rows)


_STORAGE = """
SELECT r.id, r.git_bytes
    + coalesce((SELECT sum(b.size) FROM hub_repoblob l JOIN hub_blob b ON b.sha256 = l.blob_id
        WHERE l.repo_id = r.id AND NOT EXISTS (SELECT FROM hub_xetrepofile x
            WHERE x.repo_id = l.repo_id AND x.sha256 = l.blob_id)), 0)
    + coalesce((SELECT sum(f.size) FROM hub_xetrepofile l JOIN hub_xetfile f ON f.id = l.file_id
        WHERE l.repo_id = r.id), 0)
FROM hub_repo r WHERE r.id = ANY(%s)
"""


def storage_of(repo_ids: Iterable[int]) -> dict[int, int]:
    """Bytes that each repo's files take: git objects, and each large file that it holds once."""
    rows = sql.rows(_STORAGE, [list(repo_ids)])
    return {repo_id: int(nbytes) for repo_id, nbytes in rows}
