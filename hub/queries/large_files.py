"""The large files of one repo, and where its branches have them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from hub.git.refs import BRANCHES
from hub.models import Repo, sql
from hub.names import ROOT
from hub.queries.history import commits_by_oid, refs
from hub.queries.trees import facts_of, list_all


class LargeFileRow(NamedTuple):
    """A large file that a repo holds."""

    sha256: bytes
    size: int
    pushed_at: datetime
    xet_hash: bytes | None


class Place(NamedTuple):
    """Where a branch has a large file."""

    ref: str
    path: str


_LIST = """
SELECT sha256, max(size), min(pushed_at), (array_agg(hash) FILTER (WHERE hash IS NOT NULL))[1]
FROM (
    SELECT r.blob_id AS sha256, b.size, r.created_at AS pushed_at, NULL::bytea AS hash
    FROM hub_repoblob r JOIN hub_blob b ON b.sha256 = r.blob_id WHERE r.repo_id = %(repo)s
    UNION ALL
    SELECT r.sha256, f.size, r.created_at, f.hash
    FROM hub_xetrepofile r JOIN hub_xetfile f ON f.id = r.file_id WHERE r.repo_id = %(repo)s
) file
WHERE sha256 > %(after)s
GROUP BY sha256 ORDER BY sha256 LIMIT %(limit)s
"""


def large_files_of(repo: Repo, *, after: bytes, limit: int) -> list[LargeFileRow]:
    """The large files that the repo holds, by SHA-256, from the one that follows ``after``."""
    rows = sql.rows(_LIST, {"repo": repo.pk, "after": after, "limit": limit})
    return [LargeFileRow(*row) for row in rows]


def places_of(repo: Repo, digests: Iterable[bytes]) -> dict[bytes, list[Place]]:
    """Where the heads of branches have these large files, the default branch first."""
    wanted = set(digests)
    found: dict[bytes, list[Place]] = {}
    default = BRANCHES + repo.default_branch
    heads = sorted(refs(repo, BRANCHES), key=lambda ref: ref.name != default)
    commits = commits_by_oid(repo.pk, [ref.commit for ref in heads])
    for ref in heads:
        for entry in facts_of(repo.pk, list_all(repo.pk, commits[ref.commit], ROOT)):
            if entry.large and entry.large.sha256 in wanted:
                found.setdefault(entry.large.sha256, []).append(Place(ref.name, entry.path))
    return found
