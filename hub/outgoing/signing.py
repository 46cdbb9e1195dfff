"""The headers of a delivery, in the three forms that receivers verify.

Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md);
GitHub's ``X-Hub-Signature-256``; and the secret itself, which is all that Hugging Face sends.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

PREFIX = "whsec_"
_SECRET_BYTES = 32
_KEY_BYTES = range(24, 65)
HIDDEN = "(hidden)"
_SHARED_TOKEN = "X-Webhook-Secret"  # noqa: S105 - the name of a header
_SECRET_HEADERS = frozenset({_SHARED_TOKEN, "Authorization"})


def new_secret() -> str:
    """Make a signing secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Say whether ``text`` can be a signing secret: 24 to 64 bytes in base64, after ``whsec_``."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(PREFIX) and len(key) in _KEY_BYTES


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one webhook, opened."""

    signing: Sequence[str]
    """All that sign now; the first one also makes ``X-Hub-Signature-256``, which holds only one."""
    shared_token: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the same id and bytes at each attempt."""

    id: str
    delivery: str
    scope: str
    body: bytes


def headers(message: Message, keys: Keys, *, now: int, agent: str, https: bool) -> dict[str, str]:
    """Answer the headers of an attempt that is made ``now`` (Unix seconds)."""
    signed = b"%s.%d.%s" % (message.id.encode(), now, message.body)
    made = {
        "Content-Type": "application/json",
        "User-Agent": agent,
        "webhook-id": message.id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{_standard(key, signed)}" for key in keys.signing),
        "Idempotency-Key": message.id,
        "X-Hub-Event": message.scope,
        "X-Hub-Delivery": message.delivery,
        "X-Hub-Signature-256": f"sha256={_github(keys.signing[0], message.body)}",
    }
    # It is the secret itself: whoever reads along could pretend to be us for ever.
    return made | {_SHARED_TOKEN: keys.shared_token} if keys.shared_token and https else made


def without_secrets(made: dict[str, str]) -> dict[str, str]:
    """The headers as a log may show them."""
    return {name: HIDDEN if name in _SECRET_HEADERS else text for name, text in made.items()}


def _standard(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _github(secret: str, body: bytes) -> str:
    # The whole string is the key, so that a user pastes the same one everywhere.
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()
