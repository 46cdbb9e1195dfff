"""Issue, revoke and note the use of access tokens.

A token reads ``wh_`` + 41 base-62 digits of randomness + 6 digits of CRC-32, so that a scanner
finds leaked ones without a database and without false hits.
"""

import hashlib
import secrets
import zlib
from datetime import timedelta

from django.utils import timezone

from teams.models import AccessToken, User

PREFIX = "wh_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES = 30
_RANDOM_DIGITS = 41
_CHECK_DIGITS = 6
_TOUCH_EVERY = timedelta(minutes=10)


def issue(*, user: User, name: str, role: str = "read") -> tuple[AccessToken, str]:
    """Make a token and answer it with its secret, which is shown this once and never stored."""
    body = PREFIX + _base62(int.from_bytes(secrets.token_bytes(_RANDOM_BYTES)), _RANDOM_DIGITS)
    secret = body + checksum(body)
    token = AccessToken.objects.create(
        user=user,
        name=name,
        role=AccessToken.TokenRole(role),
        digest=hashlib.sha256(secret.encode()).digest(),
        last4=secret[-4:],
    )
    return token, secret


def checksum(body: str) -> str:
    """Answer the last six digits of a token that begins with ``body``."""
    return _base62(zlib.crc32(body.encode()), _CHECK_DIGITS)


def is_well_formed(secret: str) -> bool:
    """Say whether ``secret`` can be one of ours at all, without a look into the database."""
    body, check = secret[:-_CHECK_DIGITS], secret[-_CHECK_DIGITS:]
    return secret.startswith(PREFIX) and checksum(body) == check


def revoke(*, token: AccessToken, by: User) -> None:
    """End a token for good. Revoking twice keeps the first date."""
    AccessToken.objects.filter(pk=token.pk, user=by, revoked_at=None).update(
        revoked_at=timezone.now()
    )


def touch(token: AccessToken) -> None:
    """Note that ``token`` is in use; at most one write per ten minutes."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _TOUCH_EVERY:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
