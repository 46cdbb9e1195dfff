"""Take in the xorbs that Xet clients upload: verified while they arrive, and kept."""

from django.db import transaction

from hub.crashpoints import Point, reach
from hub.errors import BadObject, BlobNotFound
from hub.models import sql
from hub.queries import xet
from hub.queries.store import blob_store
from hub.services import scrubbing, stored_bytes
from hub.services.xet_touching import touch
from hub.storage.digests import xorb_index_key, xorb_key
from hub.storage.ports import BlobStore, Staged
from hub.xet.hashing import to_text
from hub.xet.xorbs import Readable, XorbIndex, verify_xorb
from teams.errors import Invalid, Unavailable
from teams.models import User


def accept_xorb(*, xorb: bytes, source: Readable, domain_id: int, by: User | None) -> bool:
    """Verify a xorb while it arrives, and keep it; say whether it is new to the domain.

    Raises:
        BadObject: it is not the xorb that it claims to be. Nothing of it is kept.
        Unavailable: the same bytes were collected in this very moment.
    """
    if keep_known(xorb, domain_id=domain_id):
        return False
    with blob_store().open_stage(hashed=False) as writer:
        index = verify_xorb(source, writer.write, expected=xorb)
        staged = writer.finish()
    return keep_staged(staged, index, domain_id=domain_id, by=by)


def keep_staged(staged: Staged, index: XorbIndex, *, domain_id: int, by: User | None) -> bool:
    """Keep a verified xorb; say whether it is new to the domain.

    Raises:
        Unavailable: the same bytes were collected in this very moment.
    """
    store, text = blob_store(), to_text(index.hash)
    reach(Point.XORB_STAGED)
    index = (_heal if _is_damaged(index.hash) else _publish)(store, staged, index)
    with transaction.atomic():
        stored_bytes.claim(store, index.hash, [xorb_key(text), xorb_index_key(text)])
        is_new = _insert_xorb(index, domain_id, by)
        reach(Point.XORB_INSERTED)
    reach(Point.XORB_ACCEPTED)
    return is_new


def _publish(store: BlobStore, staged: Staged, index: XorbIndex) -> XorbIndex:
    """Put a xorb under its key; answer the index of what lies there.

    That may be what another upload left there before it was killed, or puts there right now: the
    same chunks, perhaps compressed in another way.
    """
    text = to_text(index.hash)
    if not store.publish(staged, xorb_key(text)):
        index = _index_of_stored(store, index.hash)
    reach(Point.XORB_PUBLISHED)
    store.publish(store.stage([index.to_bytes()]), xorb_index_key(text))
    reach(Point.XORB_INDEXED)
    return index


def _index_of_stored(store: BlobStore, xorb: bytes) -> XorbIndex:
    try:
        with store.open(xorb_key(to_text(xorb))) as source:
            return verify_xorb(source, lambda _stored: None, expected=xorb)
    except BlobNotFound:
        raise Unavailable("These bytes were deleted in this moment. Upload them again.") from None
    except BadObject:
        _put_away(xorb)
        raise Unavailable("What was stored of this xorb is damaged. Upload it again.") from None


def _put_away(xorb: bytes) -> None:
    """Let the next upload of a damaged xorb stand: it heals one that has a row."""
    scrubbing.look_at_xorb(xorb)
    text = to_text(xorb)
    with transaction.atomic():
        stored_bytes.unname([xorb_key(text), xorb_index_key(text)])
    stored_bytes.drop_unnamed()


@transaction.atomic
def _heal(store: BlobStore, staged: Staged, index: XorbIndex) -> XorbIndex:
    """Put good bytes in the place of damaged ones, which nobody is served any more."""
    stored_bytes.hold(index.hash)
    if _is_damaged(index.hash):
        text = to_text(index.hash)
        store.drop(xorb_key(text))
        store.drop(xorb_index_key(text))
        sql.run("UPDATE hub_xorb SET damaged_at = NULL WHERE hash = %s", [index.hash])
    return _publish(store, staged, index)


def _is_damaged(xorb: bytes) -> bool:
    query = "SELECT 1 FROM hub_xorb WHERE hash = %s AND damaged_at IS NOT NULL"
    return sql.row(query, [xorb]) is not None


def keep_known(xorb: bytes, *, domain_id: int) -> bool:
    """Answer whether the domain has a xorb already; if so it keeps it for another while."""
    if not xet.known_xorbs(domain_id, [xorb]):
        return False
    try:
        touch([xorb])
    except Invalid:
        return False
    return True


_INSERT_XORB = """
INSERT INTO hub_xorb (hash, n_chunks, raw_bytes, stored_bytes, chunk_ends, chunk_lens,
    created_at, touched_at, scrubbed_at)
VALUES (%s, %s, %s, %s, %s, %s, now(), now(), now())
ON CONFLICT (hash) DO UPDATE SET touched_at = now(), condemned_at = NULL
RETURNING id
"""


def _insert_xorb(index: XorbIndex, domain_id: int, by: User | None) -> bool:
    numbers = (index.n_chunks, index.raw_bytes, index.stored_bytes)
    row = sql.row(_INSERT_XORB, [index.hash, *numbers, *index.columns()])
    added = sql.run(
        "INSERT INTO hub_xorbdomain (xorb_id, domain_id, first_user_id, created_at) "
        "VALUES (%s, %s, %s, now()) ON CONFLICT DO NOTHING",
        [row and row[0], domain_id, by.pk if by else None],
    )
    return bool(added)
