"""Shards: are the bytes there by which files could be found anew."""

from collections.abc import Iterator

from hub.models import sql
from hub.queries.fsck.large_files import sha256_in
from hub.storage.digests import shard_key
from hub.storage.ports import BlobStore

_BATCH = 1000
_SHARDS = """
SELECT b.sha256, b.day, b.size FROM hub_xetshard b
WHERE b.sha256 > %(after)s AND (%(repo)s::bigint IS NULL OR EXISTS (
    SELECT FROM hub_xetfile f JOIN hub_xetrepofile r ON r.file_id = f.id
    WHERE f.shard_id = b.sha256 AND r.repo_id = %(repo)s))
ORDER BY b.sha256 LIMIT %(limit)s
"""


def shard_faults(store: BlobStore, repo_id: int | None, *, deep: bool) -> Iterator[tuple[str, str]]:
    """Every shard's bytes are in the store, as many as its row says; deep: and hash to its name.

    Answers where they lie, or should, and what is wrong with them.
    """
    after = b""
    while rows := sql.rows(_SHARDS, {"after": after, "repo": repo_id, "limit": _BATCH}):
        for sha256, day, size in rows:
            key = shard_key(day, sha256)
            stored = store.size(key)
            if stored is None:
                yield key, f"the shard {sha256.hex()} is not in the store"
            elif stored != size:
                yield key, f"the shard {sha256.hex()} has {stored} bytes in the store, not {size}"
            elif deep and sha256_in(store, key) != sha256:
                yield key, f"the shard {sha256.hex()} is damaged"
        after = rows[-1][0]
