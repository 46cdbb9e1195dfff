"""What a store says of links that gives none."""

from collections.abc import Sequence
from datetime import timedelta

from hub.errors import BlobNotFound
from hub.storage.digests import checked_key, checked_name
from hub.storage.ports import Link, LinkedParts


class NoLinks:
    """A part of stores whose bytes come and go through us alone."""

    def sign_get(
        self,
        key: str,
        *,
        lasts: timedelta,
        disposition: str = "",
        media_type: str = "",
    ) -> str | None:
        checked_key(key)
        return None

    def sign_span(self, key: str, span: tuple[int, int], *, lasts: timedelta) -> str | None:
        checked_key(key)
        return None

    def sign_put(self, name: str, *, size: int, lasts: timedelta) -> Link | None:
        checked_name(name)
        return None

    def sign_parts(
        self,
        name: str,
        *,
        sizes: Sequence[int],
        lasts: timedelta,
    ) -> LinkedParts | None:
        checked_name(name)
        return None

    def end_parts(self, name: str, upload: str, *, parts: int) -> None:
        checked_name(name)
        raise BlobNotFound("Nobody was given links to upload these parts.")

    def withdraw(self, name: str) -> str:
        return checked_name(name)
