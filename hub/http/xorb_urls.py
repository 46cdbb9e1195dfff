"""Where a client fetches pieces of xorbs: in the store itself, or with us."""

from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest

from hub.http.bytes import LINK_LIFE
from hub.queries.store import blob_store
from hub.services import xet_tokens
from hub.services.xet_tokens import XetSession
from hub.storage.digests import xorb_key
from hub.xet.hashing import to_text
from hub.xet.reconstruction import FETCHES_PER_URL, Fetch, Reconstruction
from teams.http.origin import base_url

MOST_LINKS: Final = 1000
"""Each link is signed by itself: a file in more pieces than this comes through us."""


class XorbUrls:
    """Makes the URLs of one answer: all of them lead to the store, or all to us.

    A link of the store is for exactly the bytes that were asked for: a xorb may hold chunks of
    repos that its bearer cannot read. It ends soon, for nobody asks again who follows it.
    """

    def __init__(self, request: HttpRequest, given: XetSession, plan: Reconstruction) -> None:
        self._given = given
        self._base = f"{base_url(request)}/xet/data"
        first = next((xorb, fetches[0]) for xorb, fetches in plan.fetches.items())
        pieces = sum(map(len, plan.fetches.values()))
        self._is_linked = pieces <= MOST_LINKS and _link(*first) is not None
        self.per_url = 1 if self._is_linked else FETCHES_PER_URL
        """How many fetches one URL may be for."""

    def __call__(self, xorb: bytes, fetches: Sequence[Fetch]) -> str:
        link = _link(xorb, fetches[0]) if self._is_linked else None
        if link:
            return link
        return f"{self._base}?signature={xet_tokens.sign_fetches(self._given, xorb, fetches)}"


def _link(xorb: bytes, fetch: Fetch) -> str | None:
    span = fetch.first_byte, fetch.last_byte + 1
    return blob_store().sign_span(xorb_key(to_text(xorb)), span, lasts=LINK_LIFE)
