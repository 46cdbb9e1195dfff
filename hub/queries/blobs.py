"""Which large files a repo holds, and who else holds them."""

from collections.abc import Iterable
from typing import NamedTuple

from hub.models import Repo, sql


class Held(NamedTuple):
    """A large file that a repo may name: its size in bytes and, in Xet form, its file hash."""

    size: int
    xet_hash: bytes | None


_HELD = """
SELECT b.sha256, b.size, NULL::bytea
FROM hub_repoblob r JOIN hub_blob b ON b.sha256 = r.blob_id
WHERE r.repo_id = %(repo)s AND r.blob_id = ANY(%(digests)s)
UNION ALL
SELECT r.sha256, f.size, f.hash
FROM hub_xetrepofile r JOIN hub_xetfile f ON f.id = r.file_id
WHERE r.repo_id = %(repo)s AND r.sha256 = ANY(%(digests)s)
"""


def held(repo_id: int, digests: Iterable[bytes]) -> dict[bytes, Held]:
    """Answer those of ``digests`` (SHA-256) that the repo may name, in one query."""
    wanted = list(set(digests))
    if not wanted:
        return {}
    found: dict[bytes, Held] = {}
    for sha256, size, xet_hash in sql.rows(_HELD, {"repo": repo_id, "digests": wanted}):
        if xet_hash is not None or sha256 not in found:
            found[sha256] = Held(size, xet_hash)
    return found


_HOLDERS = """
SELECT sha256, array_agg(repo_id) FROM (
    SELECT r.blob_id AS sha256, r.repo_id FROM hub_repoblob r WHERE r.blob_id = ANY(%(digests)s)
    UNION
    SELECT r.sha256, r.repo_id FROM hub_xetrepofile r WHERE r.sha256 = ANY(%(digests)s)
) holder GROUP BY sha256
"""


def holders(digests: Iterable[bytes]) -> dict[bytes, list[int]]:
    """For each of ``digests`` the ids of all repos that hold it; access is the caller's business."""
    rows = sql.rows(_HOLDERS, {"digests": list(set(digests))})
    return dict(rows)


def storage_of(repo: Repo) -> int:
    """Bytes that the repo's files take: git objects and the large files that it holds."""
    row = sql.row(
        "SELECT coalesce((SELECT sum(b.size) FROM hub_repoblob r JOIN hub_blob b "
        "ON b.sha256 = r.blob_id WHERE r.repo_id = %(repo)s AND NOT EXISTS (SELECT FROM "
        "hub_xetrepofile x WHERE x.repo_id = r.repo_id AND x.sha256 = r.blob_id)), 0) "
        "+ coalesce((SELECT sum(f.size) FROM hub_xetrepofile r JOIN hub_xetfile f "
        "ON f.id = r.file_id WHERE r.repo_id = %(repo)s), 0)",
        {"repo": repo.pk},
    )
    return repo.git_bytes + (int(row[0]) if row else 0)
