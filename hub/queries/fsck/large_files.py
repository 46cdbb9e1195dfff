"""Large files: has every pointer its row, every row its bytes, and are they the right ones."""

import hashlib
from collections.abc import Iterator
from itertools import islice

from hub.errors import BadObject, BlobNotFound
from hub.git.objects import Pointer
from hub.models import sql
from hub.queries.blobs import held
from hub.queries.fsck.history import Reach
from hub.queries.fsck.objects import Inventory
from hub.storage.digests import CHUNK_BYTES, lfs_key
from hub.storage.ports import BlobStore
from hub.storage.unreadable import unreadable_as_damage

_BATCH = 1000

_BLOBS = """
SELECT b.sha256, b.size FROM hub_blob b
WHERE b.sha256 > %(after)s AND (%(repo)s::bigint IS NULL OR EXISTS (
    SELECT FROM hub_repoblob r WHERE r.repo_id = %(repo)s AND r.blob_id = b.sha256))
ORDER BY b.sha256 LIMIT %(limit)s
"""


def pointer_faults(reach: Reach, inventory: Inventory) -> Iterator[str]:
    """The repo holds every large file that its commits name, but those it deleted for good."""
    pointers = {
        pointer.sha256: pointer for oid, pointer in inventory.pointers.items() if oid in reach.blobs
    }
    purged = {
        sha256
        for (sha256,) in sql.rows(
            "SELECT sha256 FROM hub_purgedfile WHERE repo_id = %s", [inventory.repo_id]
        )
    }
    waiting = iter(sorted(pointers.keys() - purged))
    while batch := list(islice(waiting, _BATCH)):
        yield from _unheld(inventory.repo_id, {sha256: pointers[sha256] for sha256 in batch})


_WRONG_NOTES = """
SELECT count(*) FROM {table} r WHERE r.repo_id = %(repo)s AND r.is_named AND NOT EXISTS (
    SELECT FROM git_object o WHERE o.repo_id = %(repo)s AND o.lfs_oid = r.{column})
"""


def note_faults(repo_id: int) -> Iterator[str]:
    """Large files that are noted as pointed to are: else they would never be collected."""
    for table, column in (("hub_repoblob", "blob_id"), ("hub_xetrepofile", "sha256")):
        query = _WRONG_NOTES.format(table=table, column=column)
        for (count,) in sql.rows(query, {"repo": repo_id}):
            if count:
                yield f"{count} rows of {table} are noted as having a pointer, and have none"


def _unheld(repo_id: int, pointers: dict[bytes, Pointer]) -> Iterator[str]:
    there = held(repo_id, pointers)
    for sha256, pointer in pointers.items():
        found = there.get(sha256)
        if found is None:
            yield f"the large file {sha256.hex()} is named, but the repo does not hold it"
        elif found.size != pointer.size:
            yield f"a pointer gives {sha256.hex()} {pointer.size} bytes; it has {found.size}"


def blob_faults(store: BlobStore, repo_id: int | None, *, deep: bool) -> Iterator[tuple[str, str]]:
    """Every blob's bytes are in the store, as many as its row says; deep: and hash to its name.

    Answers where they lie, or should, and what is wrong with them.
    """
    after = b""
    while rows := sql.rows(_BLOBS, {"after": after, "repo": repo_id, "limit": _BATCH}):
        for sha256, size in rows:
            key = lfs_key(sha256)
            stored = store.size(key)
            if stored is None:
                yield key, f"the bytes of {sha256.hex()} are not in the store"
            elif stored != size:
                yield key, f"{sha256.hex()} has {stored} bytes in the store, not {size}"
            elif deep and sha256_in(store, key) != sha256:
                yield key, f"the bytes of {sha256.hex()} are damaged"
        after = rows[-1][0]


def sha256_in(store: BlobStore, key: str) -> bytes:
    """Hash what lies under a key; empty if that is gone, or cannot be read."""
    digest = hashlib.sha256()
    try:
        with unreadable_as_damage(), store.open(key) as file:
            while piece := file.read(CHUNK_BYTES):
                digest.update(piece)
    except (BadObject, BlobNotFound):
        return b""
    return digest.digest()
