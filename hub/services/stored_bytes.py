"""Keep rows and the bytes that they name in step, whoever uploads or deletes them just now.

The promise is: where there is the row of a blob or a xorb, there are its bytes. It holds because

1. a row is only written by who holds the lock of its digest and sees the bytes (:func:`claim`),
2. bytes are only dropped by who holds that lock and sees no row (:func:`drop_unnamed`),
3. the lock ends with the transaction, so of two who want it the second sees all that the first did,
4. who deletes a row commits that before the bytes go (:func:`unname`).

So an upload that was told «already there» by the store, and whose bytes were dropped before it
could write its row, is refused and comes again. A crash leaves bytes without a row, never a row
without bytes; what was to be dropped is written down and dropped the next time. Everybody else, who
adopts, lends, copies or touches, goes by rows and need not look at bytes.

What no lock of the database can rule out is a process that stands still right before it drops, for
as long as it takes PostgreSQL to be killed and to come back.
"""

from collections.abc import Iterable

from django.db import transaction

from hub.crashpoints import Point, reach
from hub.models import UnnamedKey, sql
from hub.queries.store import blob_store
from hub.queries.stored import KINDS, digest_in, unnamed
from hub.storage.ports import BlobStore
from teams.errors import Unavailable

_LOCKS = 0x62797465
"""Sets the locks of digests apart from those of repos."""
_BATCH = 500


def claim(store: BlobStore, digest: bytes, keys: Iterable[str]) -> None:
    """Keep bytes that were just published from being dropped until the transaction ends.

    Raises:
        Unavailable: they were dropped since.
    """
    hold(digest)
    if any(store.size(key) is None for key in keys):
        raise Unavailable("These bytes were deleted just when they came again. Upload them again.")


def hold(digest: bytes) -> None:
    """Take the lock of a digest until the transaction ends.

    Whoever puts good bytes in the place of damaged ones holds it from the look at the row to the
    end: of two who do so, the second finds nothing to drop.
    """
    # Digests that begin alike share a lock: that costs a wait now and then, and nothing else.
    number = int.from_bytes(digest[:4], "big", signed=True)
    sql.run("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, number])


def unname(keys: Iterable[str]) -> None:
    """Write down keys whose row the caller deletes in the same transaction."""
    UnnamedKey.objects.bulk_create([UnnamedKey(key=key) for key in keys], ignore_conflicts=True)


def drop_unnamed() -> int:
    """Drop all bytes that were written down and that no row names again; answer how many keys."""
    count = after = 0
    while rows := list(UnnamedKey.objects.filter(pk__gt=after).order_by("pk")[:_BATCH]):
        after = rows[-1].pk
        count += sum(_drop(row) for row in rows)
    return count


@transaction.atomic
def _drop(row: UnnamedKey) -> bool:
    hold(digest_in(row.key))
    kind = next(kind for kind in KINDS if row.key.startswith(kind))
    is_unnamed = bool(unnamed(kind, [row.key]))
    if is_unnamed:
        blob_store().drop(row.key)
    reach(Point.COLLECT_DROPPED)
    row.delete()
    return is_unnamed
