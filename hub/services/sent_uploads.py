"""Take in large files that their uploaders send to the store by its own links.

The store takes whatever bytes it is sent. They are nobody's before their uploader says that they
came: then we take them out of reach, read them there, and accept or drop them.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from secrets import token_hex

from hub.errors import BlobNotFound
from hub.models import Repo
from hub.queries.blobs import held
from hub.queries.store import blob_store
from hub.services import blobs
from hub.services.uploads import LINK_LIFE, Announced
from hub.storage.digests import chunks_of, digest_of
from hub.storage.ports import Staged
from teams.errors import Unprocessable
from teams.models import User

MOST_BY_ONE_LINK = 2**30
"""What is larger and comes whole comes through us, and is hashed on its way: some clients wait no
longer than half a minute for the word that what they sent to the store was read there."""
LEAST_PART_BYTES, MOST_PARTS = 5 * 2**20, 10_000
"""What stores take as parts: no smaller, and no more."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where the store itself takes the bytes of one upload: whole, or in parts."""

    upload: str
    urls: Sequence[str]
    stored_as: str = ""
    """What the store calls an upload that comes in parts."""
    part_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SentParts:
    """An upload whose parts are said to have come."""

    upload: str
    stored_as: str
    count: int


def part_sizes(size: int, part_bytes: int) -> list[int]:
    """How large the parts of a file are: all the same but the last."""
    whole, rest = divmod(size, part_bytes)
    return [part_bytes] * whole + [rest] * bool(rest)


def offer_link(announced: Announced) -> Offer | None:
    """Answer a link for the whole of a file; None where it is to come through us."""
    if announced.size > MOST_BY_ONE_LINK:
        return None
    upload = token_hex(16)
    link = blob_store().sign_put(_name(upload), size=announced.size, lasts=LINK_LIFE)
    return Offer(upload, [link.url]) if link else None


def offer_parts(announced: Announced, part_bytes: int) -> Offer | None:
    """Answer a link for each part of a file; None where they are to come through us.

    Parts are larger than wished where the store would not take them otherwise.
    """
    part_bytes = max(part_bytes, LEAST_PART_BYTES, ceil(announced.size / MOST_PARTS))
    upload, sizes = token_hex(16), part_sizes(announced.size, part_bytes)
    linked = blob_store().sign_parts(_name(upload), sizes=sizes, lasts=LINK_LIFE)
    return Offer(upload, linked.urls, linked.upload, part_bytes) if linked else None


def receive(*, repo: Repo, announced: Announced, upload: str, by: User | None) -> None:
    """Take in a file that was sent whole. To ask again once it stands is no error.

    Raises:
        Unprocessable: it did not come.
        BadObject: it is not what was announced. Nothing of it is kept.
    """
    try:
        staged = _hashed(blob_store().withdraw(_name(upload)))
    except BlobNotFound:
        _check_stands(repo, announced)
        return
    _accept(repo, announced, staged, by)


def join_parts(*, repo: Repo, announced: Announced, sent: SentParts, by: User | None) -> None:
    """Take in a file that was sent in parts. To ask again once it stands is no error.

    Raises:
        Unprocessable: a part did not come.
        BadObject: it is not what was announced. Nothing of it is kept.
    """
    store, name, mark = blob_store(), _name(sent.upload), _name(f"{sent.upload}/read")
    try:
        # Joined before, and then something broke: what came lies there whole.
        with suppress(BlobNotFound):
            store.end_parts(name, sent.stored_as, parts=sent.count)
        staged = _hashed(name)
    except BlobNotFound:
        if not _was_read(mark, announced):
            _check_stands(repo, announced)
            return
        # Published, and then something broke.
        sha256, size = announced.sha256, announced.size
        blobs.name_published(repo=repo, store=store, sha256=sha256, size=size, by=by)
    else:
        if staged.sha256 == announced.sha256:
            store.stage([staged.sha256], name=mark)
        _accept(repo, announced, staged, by)
    store.abandon(mark)


def _was_read(mark: str, announced: Announced) -> bool:
    """Whether the bytes of this upload were here, and were found to be the announced ones."""
    try:
        with blob_store().open_staged(mark) as file:
            return file.read() == announced.sha256
    except BlobNotFound:
        return False


def _hashed(name: str) -> Staged:
    with blob_store().open_staged(name) as file:
        digest = digest_of(chunks_of(file))
    return Staged(name, digest.size, digest.sha256)


def _check_stands(repo: Repo, announced: Announced) -> None:
    if announced.sha256 not in held(repo.pk, [announced.sha256]):
        raise Unprocessable("The bytes did not arrive in the store. Upload the file again.")


def _accept(repo: Repo, announced: Announced, staged: Staged, by: User | None) -> None:
    blobs.accept(
        repo=repo,
        store=blob_store(),
        staged=staged,
        sha256=announced.sha256,
        size=announced.size,
        by=by,
    )


def _name(upload: str) -> str:
    return f"sent/{upload}"
