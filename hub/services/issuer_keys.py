"""The public keys of those who sign identity tokens, fetched as carefully as webhooks are sent.

OpenID Connect Discovery 1.0, section 4: the issuer's own document says where its keys are. Both
are asked for only where a repo trusts the issuer.
"""

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from django.core.cache import cache

from hub.services.sender import own_client
from teams.errors import Unavailable

log = structlog.get_logger(__name__)

GOOD_FOR_SECONDS = 3600
AGAIN_AFTER_SECONDS = 60
"""An issuer who has just been asked is not asked again for a key that it did not have."""
_DISCOVERY = "/.well-known/openid-configuration"
_JSON = {"Accept": "application/json", "User-Agent": "Weighhouse"}


class IssuerIsSilent(Unavailable):
    """The issuer of the identity token does not tell its keys now. Try again in a moment."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The keys that an issuer had when it was asked (seconds since the epoch)."""

    keys: list[dict[str, Any]]
    asked_at: float


def key_of(issuer: str, kid: str) -> dict[str, Any] | None:
    """Answer the key of that id as a JWK; None: the issuer has none.

    Raises:
        IssuerIsSilent: it cannot be asked, or says something else.
    """
    name = f"issuer-keys:{hashlib.sha256(issuer.encode()).hexdigest()}"
    known: _Known | None = cache.get(name)
    found = _named(known, kid)
    age = time.time() - known.asked_at if known else GOOD_FOR_SECONDS
    if age >= GOOD_FOR_SECONDS or (found is None and age >= AGAIN_AFTER_SECONDS):
        known = _Known(_ask(issuer), time.time())
        cache.set(name, known, GOOD_FOR_SECONDS)
        found = _named(known, kid)
    return found


def _named(known: _Known | None, kid: str) -> dict[str, Any] | None:
    return next((key for key in known.keys if key.get("kid") == kid), None) if known else None


def _ask(issuer: str) -> list[dict[str, Any]]:
    told = _fetch(issuer.rstrip("/") + _DISCOVERY)
    home = told.get("jwks_uri")
    if told.get("issuer") != issuer or not isinstance(home, str):
        log.warning("issuer_tells_no_keys", issuer=issuer)
        raise IssuerIsSilent
    keys = _fetch(home).get("keys")
    if not isinstance(keys, list):
        log.warning("issuer_tells_no_keys", issuer=issuer)
        raise IssuerIsSilent
    return [key for key in keys if isinstance(key, dict)]


def _fetch(url: str) -> dict[str, Any]:
    answer = asyncio.run(own_client().get(url, _JSON))
    try:
        told = json.loads(answer.body) if answer.status == HTTPStatus.OK else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        log.warning("issuer_is_silent", url=url, status=answer.status, reason=answer.error)
        raise IssuerIsSilent
    return told
