"""What nobody names any more: bytes without rows, rows without repos, names in the way."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from hub.models import sql
from hub.queries.stored import LFS, SHARDS, XORBS, unnamed
from hub.storage.ports import BlobStore

STAGING_LIFE = timedelta(hours=24)
"""How long bytes may wait in staging: as long as the link lives by which they came."""
GRACE = {LFS: timedelta(days=7), XORBS: timedelta(days=30), SHARDS: timedelta(days=30)}
"""How old bytes without a row must be before anybody speaks of them: bytes come before rows."""
_BATCH = 1000
GIT_TABLES = ("git_ref", "git_line", "git_object", "git_commit", "path_change")

_SHADOWS = """
SELECT d.kind, d.old_name FROM hub_reporedirect d
JOIN hub_repo r ON r.kind = d.kind JOIN teams_namespace n ON n.id = r.namespace_id
WHERE lower(n.name || '/' || r.name) = d.old_name
"""


def unnamed_keys(store: BlobStore, now: datetime) -> Iterator[str]:
    """Where old bytes lie that no row names: they take room and serve nobody."""
    for kind, grace in GRACE.items():
        keys = (key for key in store.keys(kind) if _is_older(store, key, now - grace))
        while batch := list(islice(keys, _BATCH)):
            yield from unnamed(kind, batch)


def _is_older(store: BlobStore, key: str, limit: datetime) -> bool:
    published_at = store.published_at(key)
    return published_at is not None and published_at < limit


def stale_staging(store: BlobStore, now: datetime) -> Iterator[str]:
    """What was staged longer ago than anybody may still be writing it."""
    for name in store.stale(now - STAGING_LIFE):
        yield f"{name} waits in staging for more than {STAGING_LIFE.total_seconds() / 3600:g} hours"


def orphan_rows() -> Iterator[str]:
    """Rows of history whose repo is gone."""
    for table in GIT_TABLES:
        rows = sql.rows(
            f"SELECT DISTINCT g.repo_id FROM {table} g "
            "WHERE NOT EXISTS (SELECT FROM hub_repo r WHERE r.id = g.repo_id)"
        )
        for (repo_id,) in rows:
            yield f"{table} has rows of repo {repo_id}, which does not exist"


def shadowing_redirects() -> Iterator[str]:
    """Old names that are taken by a repo again."""
    for kind, old_name in sql.rows(_SHADOWS):
        yield f"the old name {old_name} of a {kind} is that of a repo"
