"""The store of this instance, as the settings name it."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from django.conf import settings

from hub.storage.local import LocalStore
from hub.storage.ports import BlobStore

if TYPE_CHECKING:
    from hub.storage.s3_access import S3Address


@cache
def blob_store() -> BlobStore:
    """Answer the one store; it holds no state but its address, so one object serves all threads."""
    return store_at(settings.STORE_URL)


def store_at(url: str) -> BlobStore:
    """The store at ``file:///folder`` or ``s3://bucket/folder``; S3 with the keys of the settings.

    Raises:
        ValueError: the URL is neither.
    """
    if address := bucket_address(url):
        # Only who keeps bytes in S3 pays for loading its client.
        from hub.storage.s3 import S3Store  # noqa: PLC0415

        return S3Store(address, direct=settings.S3_DIRECT)
    parts = urlsplit(url)
    if parts.scheme != "file" or not parts.path.startswith("/"):
        raise ValueError(f"{url} is no store: it should begin with file:/// or s3://")
    return LocalStore(Path(unquote(parts.path)))


def bucket_address(url: str | None = None) -> "S3Address | None":
    """Where a store is, or the one of this instance, if it is a bucket."""
    parts = urlsplit(settings.STORE_URL if url is None else url)
    if parts.scheme != "s3" or not parts.netloc:
        return None
    from hub.storage.s3_access import S3Address  # noqa: PLC0415 - as above

    folder = unquote(parts.path).strip("/")
    return S3Address(parts.netloc, prefix=f"{folder}/" if folder else "", **settings.S3)
