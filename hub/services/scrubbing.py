"""Read stored bytes again before anybody needs them: what is damaged is told, and not served.

Clients do not look whether what they download is what was stored, so we must.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db import transaction
from django.utils import timezone

from hub.errors import BadObject, BlobNotFound
from hub.models import sql
from hub.queries.store import blob_store
from hub.queries.stored import shard_keys
from hub.storage.digests import CHUNK_BYTES, lfs_key, xorb_index_key, xorb_key
from hub.storage.ports import BlobStore
from hub.storage.unreadable import unreadable_as_damage
from hub.xet.hashing import to_text
from hub.xet.xorbs import XorbIndex, verify_xorb

log = structlog.get_logger(__name__)

CYCLE_DAYS = 7
"""Within how many days every byte is read once."""
_RUNS_PER_CYCLE = CYCLE_DAYS * 24
_LEAST_BYTES = 256 * 1024 * 1024
"""How much a run reads at least, so that a small hub is soon done."""
_AT_A_TIME = 50


class Stored(NamedTuple):
    """Something in the store with a row: a xorb, a blob or a shard, by its hash."""

    kind: str
    name: bytes
    size: int

    def __str__(self) -> str:
        return f"{self.kind} {to_text(self.name) if self.kind == 'xorb' else self.name.hex()}"


@dataclass
class Report:
    """What a run looked at, and what it found to be damaged."""

    objects: int = 0
    nbytes: int = 0
    damaged: list[str] = field(default_factory=list)


_TABLES = {
    "xorb": ("hub_xorb", "hash"),
    "blob": ("hub_blob", "sha256"),
    "shard": ("hub_xetshard", "sha256"),
}

# What was condemned is on its way out, and what was read this week can wait for the next.
_DUE = """
SELECT kind, name, size FROM (
    SELECT 'xorb' AS kind, hash AS name, stored_bytes AS size, scrubbed_at FROM hub_xorb
    WHERE condemned_at IS NULL
    UNION ALL
    SELECT 'blob', sha256, size, scrubbed_at FROM hub_blob WHERE condemned_at IS NULL
    UNION ALL
    SELECT 'shard', sha256, size, scrubbed_at FROM hub_xetshard WHERE condemned_at IS NULL
) stored
WHERE scrubbed_at IS NULL OR scrubbed_at < %s
ORDER BY scrubbed_at NULLS FIRST, name LIMIT %s
"""
_SHARE = """
SELECT (coalesce((SELECT sum(stored_bytes) FROM hub_xorb), 0)
    + coalesce((SELECT sum(size) FROM hub_blob), 0)) / %s
"""


def scrub(*, everything: bool = False) -> Report:
    """Read an hour's share of a week's work, what was read longest ago first; or all there is.

    Two at once read some bytes twice and do no other harm.
    """
    now = timezone.now()
    before = now if everything else now - timedelta(days=CYCLE_DAYS - 1)
    budget = None if everything else _share()
    report = Report()
    for one in _due(before):
        if budget is not None and report.nbytes >= budget:
            break
        report.objects += 1
        report.nbytes += one.size
        if fault := look_at(one):
            report.damaged.append(f"{one}: {fault}")
    log.info("scrubbed", objects=report.objects, bytes=report.nbytes, damaged=len(report.damaged))
    return report


def _share() -> int:
    row = sql.row(_SHARE, [_RUNS_PER_CYCLE])
    return max(_LEAST_BYTES, int(row[0]) if row else 0)


def _due(before: datetime) -> Iterator[Stored]:
    while rows := sql.rows(_DUE, [before, _AT_A_TIME]):
        yield from (Stored(*row) for row in rows)


# The moment of reading is our clock's, as that of the run is: the database's stands still within a
# transaction, and may go after another.
def look_at(one: Stored) -> str:
    """Read something in the store, note that it was read, and answer what is wrong with it."""
    try:
        with unreadable_as_damage():
            _CHECKS[one.kind](blob_store(), one.name)
    except (BadObject, BlobNotFound) as fault:
        return _note_damage(one, fault.message)
    table, key = _TABLES[one.kind]
    sql.run(
        f"UPDATE {table} SET scrubbed_at = %s, damaged_at = NULL WHERE {key} = %s",
        [timezone.now(), one.name],
    )
    return ""


def look_at_xorb(xorb: bytes) -> None:
    """Read a xorb now, because somebody came upon damage in it."""
    look_at_kind("xorb", xorb)


def look_at_kind(kind: str, name: bytes) -> None:
    """Read a xorb, a blob or a shard now, if it has a row."""
    table, key = _TABLES[kind]
    if sql.row(f"SELECT 1 FROM {table} WHERE {key} = %s", [name]):
        look_at(Stored(kind, name, 0))


def _check_xorb(store: BlobStore, xorb: bytes) -> None:
    with store.open(xorb_key(to_text(xorb))) as source:
        index = verify_xorb(source, len, expected=xorb)
    try:
        with store.open(xorb_index_key(to_text(xorb))) as file:
            is_good = XorbIndex.from_bytes(xorb, file.read()) == index
    except (BadObject, BlobNotFound):
        is_good = False
    if not is_good:
        _mend_index(store, index)


def _mend_index(store: BlobStore, index: XorbIndex) -> None:
    """Write an index anew: the xorb has just proven what has to stand in it."""
    key = xorb_index_key(to_text(index.hash))
    store.drop(key)
    store.publish(store.stage([index.to_bytes()]), key)
    log.warning("xorb_index_mended", xorb=to_text(index.hash))


def _check_blob(store: BlobStore, sha256: bytes) -> None:
    _check_sha256(store, lfs_key(sha256), sha256)


def _check_shard(store: BlobStore, sha256: bytes) -> None:
    for key in shard_keys([sha256]).values():
        _check_sha256(store, key, sha256)


def _check_sha256(store: BlobStore, key: str, sha256: bytes) -> None:
    digest = hashlib.sha256()
    with store.open(key) as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
    if digest.digest() != sha256:
        raise BadObject(f"The bytes have SHA-256 {digest.hexdigest()}.")


_CHECKS = {"xorb": _check_xorb, "blob": _check_blob, "shard": _check_shard}

_FORGET = """
UPDATE hub_xetdomain SET epoch = epoch + 1 WHERE id IN (
    SELECT m.domain_id FROM hub_xorbdomain m JOIN hub_xorb x ON x.id = m.xorb_id WHERE x.hash = %s)
"""


@transaction.atomic
def _note_damage(one: Stored, fault: str) -> str:
    """From now on it is served to nobody, and whoever uploads it again heals it.

    Clients remember for weeks which xorbs are here. With a new epoch they forget it, and send what
    they would else only refer to.
    """
    table, key = _TABLES[one.kind]
    is_new = sql.run(
        f"UPDATE {table} SET damaged_at = now() WHERE {key} = %s AND damaged_at IS NULL",
        [one.name],
    )
    sql.run(f"UPDATE {table} SET scrubbed_at = %s WHERE {key} = %s", [timezone.now(), one.name])
    if is_new and one.kind == "xorb":
        sql.run(_FORGET, [one.name])
    log.error("damaged", what=str(one), fault=fault)
    return fault
