"""Collect the bytes that nothing needs any more: first condemn them, days later delete them.

Condemned bytes are offered to nobody, and whoever uploads or names them again saves them. A row is
only deleted after it was locked and looked at once more; how rows and bytes stay in step is told in
:mod:`hub.services.stored_bytes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from hub.crashpoints import Point, reach
from hub.models import sql
from hub.services import stored_bytes
from hub.services.collect_files import Dropped
from hub.storage.digests import lfs_key, shard_key, xorb_index_key, xorb_key
from hub.xet.hashing import to_text

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """One of the forms in which bytes are kept."""

    table: str
    name: str
    size: str
    """Columns: the digest, and how many bytes lie in the store."""
    need: str
    """A query that finds somebody who needs the row ``b``."""
    dependants: Sequence[str]
    """Tables whose rows go with the row ``b``."""
    untouched: timedelta
    """How long nobody may have touched what is to be condemned."""
    respite: timedelta
    """How long it stays condemned before it is deleted."""
    keys: Callable[[bytes, date | None], list[str]]
    """Where the bytes of a row lie."""
    day: str = "NULL::date"
    """Column: the day in its key, if there is one."""


def _xorb_keys(xorb: bytes, _day: date | None) -> list[str]:
    text = to_text(xorb)
    return [xorb_key(text), xorb_index_key(text)]


BLOBS = Kept(
    table="hub_blob",
    name="sha256",
    size="size",
    need="SELECT FROM hub_repoblob n WHERE n.blob_id = b.sha256 "
    "UNION ALL SELECT FROM hub_attachment a WHERE a.blob_id = b.sha256",
    dependants=(),
    untouched=timedelta(days=7),
    respite=timedelta(days=1),
    keys=lambda sha256, _day: [lfs_key(sha256)],
)
# Clients remember for three weeks which xorbs they sent, and name them without a question.
XORBS = Kept(
    table="hub_xorb",
    name="hash",
    size="stored_bytes",
    need="SELECT FROM hub_xetfilexorb n WHERE n.xorb_id = b.id",
    dependants=("hub_xetdedupchunk", "hub_xorbdomain"),
    untouched=timedelta(days=30),
    respite=timedelta(days=7),
    keys=_xorb_keys,
)
# What they tell of is of use as long as the xorbs that came with them.
SHARDS = Kept(
    table="hub_xetshard",
    name="sha256",
    size="size",
    need="SELECT FROM hub_xetfile n WHERE n.shard_id = b.sha256",
    dependants=(),
    untouched=timedelta(days=30),
    respite=timedelta(days=7),
    keys=lambda sha256, day: [shard_key(day, sha256)] if day else [],
    day="b.day",
)


def condemn(kept: Kept, *, now: datetime, dry_run: bool = False) -> Dropped:
    """Condemn what nobody needs and nobody touched for long; save what somebody needs again."""
    fate = f"b.condemned_at IS NULL AND b.touched_at < %(limit)s AND NOT EXISTS ({kept.need})"
    values = {"limit": now - kept.untouched, "now": now}
    if dry_run:
        return _counted(f"SELECT b.{kept.size} AS size FROM {kept.table} b WHERE {fate}", values)
    _update(kept, "NULL", f"b.condemned_at IS NOT NULL AND EXISTS ({kept.need})", values)
    condemned = _update(kept, "%(now)s", fate, values)
    reach(Point.COLLECT_CONDEMNED)
    return condemned


def _update(kept: Kept, condemned_at: str, which: str, values: dict[str, datetime]) -> Dropped:
    # Who holds a row is about to touch it: it is passed over, and nobody waits in a ring.
    return _counted(
        f"UPDATE {kept.table} SET condemned_at = {condemned_at} WHERE {kept.name} IN ("
        f"SELECT b.{kept.name} FROM {kept.table} b WHERE {which} FOR NO KEY UPDATE SKIP LOCKED) "
        f"RETURNING {kept.size} AS size",
        values,
    )


def _counted(which: str, values: dict[str, datetime]) -> Dropped:
    row = sql.row(
        f"WITH found AS ({which}) SELECT count(*), coalesce(sum(size), 0)::bigint FROM found",
        values,
    )
    return Dropped(*row) if row else Dropped(0, 0)


def delete(kept: Kept, *, now: datetime, dry_run: bool = False) -> Dropped:
    """Delete what was condemned long enough ago and that nobody saved: first rows, then bytes."""
    values = {"limit": now - kept.untouched, "last": now - kept.respite}
    fate = f"b.condemned_at < %(last)s AND b.touched_at < %(limit)s AND NOT EXISTS ({kept.need})"
    if dry_run:
        return _counted(f"SELECT b.{kept.size} AS size FROM {kept.table} b WHERE {fate}", values)
    rows = nbytes = 0
    while batch := _delete_some(kept, fate, values):
        rows, nbytes = rows + len(batch), nbytes + sum(batch)
    stored_bytes.drop_unnamed()
    return Dropped(rows, nbytes)


@transaction.atomic
def _delete_some(kept: Kept, fate: str, values: dict[str, datetime]) -> list[int]:
    """Delete a batch; answer how large each was."""
    names = sql.rows(
        f"SELECT b.{kept.name} FROM {kept.table} b WHERE {fate} "
        f"LIMIT {_BATCH} FOR UPDATE SKIP LOCKED",
        values,
    )
    # Asked again with the rows locked: somebody may have come to need one in between.
    found = sql.rows(
        f"SELECT b.{kept.name}, b.{kept.size}, {kept.day} FROM {kept.table} b "
        f"WHERE b.{kept.name} = ANY(%(names)s) AND {fate}",
        values | {"names": [name for (name,) in names]},
    )
    gone = [name for name, _size, _day in found]
    stored_bytes.unname(key for name, _size, day in found for key in kept.keys(name, day))
    for table in kept.dependants:
        sql.run(
            f"DELETE FROM {table} d USING {kept.table} b "
            f"WHERE d.xorb_id = b.id AND b.{kept.name} = ANY(%s)",
            [gone],
        )
    sql.run(f"DELETE FROM {kept.table} WHERE {kept.name} = ANY(%s)", [gone])
    reach(Point.COLLECT_UNNAMED)
    return [size for _name, size, _day in found]
