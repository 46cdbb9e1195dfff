"""The store of this instance, as the settings name it."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from hub.storage.local import LocalStore
from hub.storage.ports import BlobStore


@cache
def blob_store() -> BlobStore:
    """Answer the one store; it holds no state but its address, so one object serves all threads."""
    return store_at(settings.STORE_URL)


def store_at(url: str) -> BlobStore:
    """The store at ``file:///folder`` or ``s3://bucket/folder``; S3 with the keys of the settings.

    Raises:
        ValueError: the URL is neither.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        return _in_bucket(parts.netloc, unquote(parts.path))
    if parts.scheme == "file" and parts.path.startswith("/"):
        return LocalStore(Path(unquote(parts.path)))
    raise ValueError(f"{url} is no store: it should begin with file:/// or s3://")


def _in_bucket(bucket: str, path: str) -> BlobStore:
    # Only who keeps bytes in S3 pays for loading its client.
    from hub.storage.s3 import S3Store  # noqa: PLC0415
    from hub.storage.s3_access import S3Address  # noqa: PLC0415

    folder = path.strip("/")
    address = S3Address(bucket, prefix=f"{folder}/" if folder else "", **settings.S3)
    return S3Store(address, direct=settings.S3_DIRECT)
