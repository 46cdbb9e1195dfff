"""What nobody names any more: bytes without rows, rows without repos, names in the way."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from hub.models import sql
from hub.storage.ports import BlobStore
from hub.xet.hashing import from_text

STAGING_LIFE = timedelta(hours=24)
"""How long bytes may wait in staging: as long as the link lives by which they came."""
GRACE = {"lfs/": timedelta(days=7), "xet/xorbs/": timedelta(days=30)}
"""How old bytes without a row must be before anybody speaks of them: bytes come before rows."""
_BATCH = 1000
_NAME = re.compile(r"/([0-9a-f]{64})(?:\.idx)?$")

_KNOWN = {
    "lfs/": "SELECT sha256 FROM hub_blob WHERE sha256 = ANY(%s)",
    "xet/xorbs/": "SELECT hash FROM hub_xorb WHERE hash = ANY(%s)",
}
GIT_TABLES = ("git_ref", "git_line", "git_object", "git_commit", "path_change")

_SHADOWS = """
SELECT d.kind, d.old_name FROM hub_reporedirect d
JOIN hub_repo r ON r.kind = d.kind JOIN teams_namespace n ON n.id = r.namespace_id
WHERE lower(n.name || '/' || r.name) = d.old_name
"""


def unnamed_bytes(store: BlobStore, now: datetime) -> Iterator[str]:
    """Old bytes that no row names: they take room and serve nobody."""
    for prefix, grace in GRACE.items():
        keys = (key for key in store.keys(prefix) if _is_older(store, key, now - grace))
        while batch := list(islice(keys, _BATCH)):
            yield from _unknown(prefix, batch)


def _is_older(store: BlobStore, key: str, limit: datetime) -> bool:
    path = store.path(key)
    return path is not None and datetime.fromtimestamp(path.stat().st_mtime, UTC) < limit


def _unknown(prefix: str, keys: list[str]) -> Iterator[str]:
    names = {key: _name_in(prefix, key) for key in keys}
    rows = sql.rows(_KNOWN[prefix], [[name for name in names.values() if name]])
    known = {name for (name,) in rows}
    for key, name in names.items():
        if name not in known:
            yield f"no row names {key}"


def _name_in(prefix: str, key: str) -> bytes:
    found = _NAME.search(key)
    if found is None:
        return b""
    return bytes.fromhex(found[1]) if prefix == "lfs/" else from_text(found[1])


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
