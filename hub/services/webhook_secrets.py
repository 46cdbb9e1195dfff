"""Seal and open what webhooks hold: their URLs may contain tokens, and their secrets sign."""

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils import timezone

from hub.models import Webhook
from hub.outgoing.signing import Keys
from teams.errors import Damaged


class Unreadable(Damaged):
    """It was sealed with a key that is not among ours."""


def seal(text: str) -> bytes:
    """Encrypt ``text`` with the first key."""
    return _safe(settings.WEBHOOK_KEYS).encrypt(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Answer what was sealed, with whichever key of ours.

    Raises:
        Unreadable: none of them fits.
    """
    try:
        return _safe(settings.WEBHOOK_KEYS).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Unreadable("WEIGHHOUSE_WEBHOOK_KEYS lacks the key that it was sealed with.") from None


def masked(url: str) -> str:
    """A URL as people and logs may see it: what its query says is often a token."""
    address, asks, query = url.partition("?")
    return (
        address + asks + "&".join(f"{one.partition('=')[0]}=…" for one in query.split("&") if one)
    )


def keys_of(webhook: Webhook) -> Keys:
    """Answer all secrets that sign now, the present one first."""
    now = timezone.now()
    is_old_valid = webhook.old_secret_until is not None and webhook.old_secret_until > now
    sealed = (webhook.secret, webhook.next_secret, webhook.old_secret if is_old_valid else None)
    return Keys(
        [unseal(one) for one in sealed if one is not None],
        unseal(webhook.shared_token) if webhook.shared_token is not None else "",
    )


@cache
def _safe(keys: tuple[str, ...]) -> MultiFernet:
    digests = (hashlib.sha256(b"webhooks:" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
