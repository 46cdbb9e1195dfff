"""Let clients send xorbs straight to the store, where it can be reached: a link, then a look.

The store takes whatever it is sent. It is no xorb before its sender says that it came: then we take
it out of reach, read it there, and keep or drop it. What comes by a grant nobody else can name: the
place holds the domain, the xorb, and the grant's own secret.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import BinaryIO

from hub.errors import BadObject, BlobNotFound
from hub.queries.store import blob_store
from hub.services import xet_xorbs
from hub.storage.ports import Link, Staged
from hub.xet.hashing import to_text
from hub.xet.xorbs import MAX_STORED_BYTES, XorbIndex, verify_xorb
from teams.errors import NotFound
from teams.models import User

GRANT_LIFE = timedelta(hours=1)
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send one xorb by a link, and what to call it when it came."""

    id: str
    link: Link


def grant(xorb: bytes, *, length: int, domain_id: int) -> Grant | None:
    """Offer a link for exactly so many bytes; None where they are to come through us."""
    if not 0 < length <= MAX_STORED_BYTES:
        return None
    upload = token_hex(16)
    link = blob_store().sign_put(_name(xorb, upload, domain_id), size=length, lasts=GRANT_LIFE)
    return Grant(upload, link) if link else None


def accept(xorb: bytes, upload: str, *, domain_id: int, by: User | None) -> None:
    """Verify what came by a grant, and keep it. To ask again once it stands is no error.

    Raises:
        NotFound: nothing came.
        BadObject: it is not the xorb that was announced. Nothing of it is kept.
    """
    if xet_xorbs.keep_known(xorb, domain_id=domain_id):
        return
    if not _ID.fullmatch(upload):
        raise NotFound
    store = blob_store()
    try:
        name = store.withdraw(_name(xorb, upload, domain_id))
    except BlobNotFound:
        raise NotFound("Nothing came by this grant.") from None
    try:
        with store.open_staged(name) as source:
            index = _verified(source, xorb)
    except BadObject:
        store.abandon(name)
        raise
    staged = Staged(name, index.stored_bytes, b"")
    xet_xorbs.keep_staged(staged, index, domain_id=domain_id, by=by)


class _Counted:
    """A stream, and how much was read of it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.count = 0

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self.count += len(piece)
        return piece


def _verified(source: BinaryIO, xorb: bytes) -> XorbIndex:
    """Read a xorb to its end. What is published here is what came, so there must be no more."""
    counted = _Counted(source)
    index = verify_xorb(counted, len, expected=xorb)
    if counted.count != index.stored_bytes:
        raise BadObject("Send the chunks of a xorb and no footer.")
    return index


def _name(xorb: bytes, upload: str, domain_id: int) -> str:
    return f"sent/xorbs/{domain_id}/{to_text(xorb)}/{upload}"
