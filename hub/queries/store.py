"""The store of this instance, as the settings name it."""

from functools import cache

from django.conf import settings

from hub.storage.local import LocalStore
from hub.storage.ports import BlobStore


@cache
def blob_store() -> BlobStore:
    """Answer the one store; it holds no state but its address, so one object serves all threads."""
    return LocalStore(settings.STORE)
