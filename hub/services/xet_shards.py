"""Keep the shards by which files came, each once, for as long as a file that it brought."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from hub.errors import BadObject, BlobNotFound
from hub.models import sql
from hub.queries.store import blob_store
from hub.queries.stored import SHARDS, digest_in, shard_keys, unnamed
from hub.services import stored_bytes
from hub.storage.digests import shard_key
from hub.xet.shards import MAX_SHARD_BYTES, Shard, parse_shard

_BATCH = 500


class StoredShard(NamedTuple):
    """A shard whose bytes lie in the store."""

    sha256: bytes
    size: int
    key: str


def store(body: bytes) -> StoredShard:
    """Put a shard in the store: where it lies already if it came before, whole if it is damaged."""
    sha256 = hashlib.sha256(body).digest()
    key = shard_keys([sha256]).get(sha256) or shard_key(timezone.now().date(), sha256)
    kept = StoredShard(sha256, len(body), key)
    if not _heal(kept, body):
        blob_store().publish(blob_store().stage([body]), key)
    return kept


@transaction.atomic
def _heal(kept: StoredShard, body: bytes) -> bool:
    """Put good bytes in the place of damaged ones; no, if they are not known to be damaged."""
    stored_bytes.hold(kept.sha256)
    is_damaged = sql.run(
        "UPDATE hub_xetshard SET damaged_at = NULL WHERE sha256 = %s AND damaged_at IS NOT NULL",
        [kept.sha256],
    )
    if is_damaged:
        blob_store().drop(kept.key)
        blob_store().publish(blob_store().stage([body]), kept.key)
    return bool(is_damaged)


_NOTE = """
INSERT INTO hub_xetshard (sha256, day, size, created_at, touched_at, scrubbed_at)
VALUES (%s, to_date(%s, 'YYYYMMDD'), %s, now(), now(), now())
ON CONFLICT (sha256) DO UPDATE SET touched_at = now(), condemned_at = NULL
"""


def note(kept: StoredShard) -> None:
    """Write the row of a shard in the caller's transaction, which then may name it.

    Raises:
        Unavailable: its bytes were collected in this very moment.
    """
    stored_bytes.claim(blob_store(), kept.sha256, [kept.key])
    sql.run(_NOTE, [kept.sha256, kept.key.split("/")[2], kept.size])
    if shard_keys([kept.sha256])[kept.sha256] != kept.key:
        # The same came at midnight, and to the other day: one of the two is enough.
        stored_bytes.unname([kept.key])


def take_in_unnamed() -> Iterator[str]:
    """Note the shards that have no row, such as those of before there were rows.

    Yields what cannot be taken in.
    """
    waiting: list[str] = []
    for key in blob_store().keys(SHARDS):
        waiting.append(key)
        if len(waiting) == _BATCH:
            yield from _take_in_all(unnamed(SHARDS, waiting))
            waiting = []
    yield from _take_in_all(unnamed(SHARDS, waiting))


def _take_in_all(keys: list[str]) -> Iterator[str]:
    for key in keys:
        try:
            take_in(key)
        except (BadObject, BlobNotFound) as fault:
            yield f"{key}: {fault}"


@transaction.atomic
def take_in(key: str) -> None:
    """Note a shard that has no row, and by which files it came.

    Raises:
        BadObject, BlobNotFound: it is damaged, or gone.
    """
    sha256 = digest_in(key)
    shard = read(key)
    note(StoredShard(sha256, blob_store().size(key) or 0, key))
    sql.run(
        "UPDATE hub_xetfile SET shard_id = %s WHERE hash = ANY(%s) AND shard_id IS NULL",
        [sha256, [file.hash for file in shard.files]],
    )


def read(key: str) -> Shard:
    """What a stored shard says.

    Raises:
        BadObject, BlobNotFound: it is damaged, or gone.
    """
    with blob_store().open(key) as file:
        body = file.read(MAX_SHARD_BYTES + 1)
    if hashlib.sha256(body).digest() != digest_in(key):
        raise BadObject("These bytes have another SHA-256.")
    return parse_shard(body)
