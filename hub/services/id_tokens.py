"""Read the identity token of a CI job: who signed it, for whom, and what it claims.

RFC 7519 and OpenID Connect Core 1.0, section 3.1.3.7. RS256 and ES256 are all that is taken, so a
token never says itself how much it is worth.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.db import IntegrityError, transaction

from hub.models import SpentIdToken
from hub.services.issuer_keys import key_of
from teams.errors import Invalid

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
MAX_CHARS = 16 * 1024
MAX_LIFE = timedelta(days=1)
LEEWAY = timedelta(seconds=30)
_CANNOT_BE_READ = "The identity token cannot be read."


class IdTokenRefused(Invalid):
    """The identity token is not good for this."""

    def __init__(self, why: str, error: str = "invalid_grant") -> None:
        super().__init__(why, error=error, error_description=why)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token says before anybody believes it: enough to know whom to ask."""

    issuer: str
    kid: str
    algorithm: str


def claimed_by(token: str) -> Claimed:
    """Read what ``token`` says of itself.

    Raises:
        IdTokenRefused: it is no token, or of a kind that is not taken here.
    """
    if len(token) > MAX_CHARS:
        raise IdTokenRefused(_CANNOT_BE_READ)
    try:
        head = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise IdTokenRefused(_CANNOT_BE_READ) from None
    algorithm, kid = head.get("alg"), head.get("kid")
    if algorithm not in ALGORITHMS:
        raise IdTokenRefused("The identity token must be signed with RS256 or ES256.")
    if not isinstance(issuer, str) or not isinstance(kid, str):
        raise IdTokenRefused("The identity token names no issuer or no key.")
    return Claimed(issuer, kid, algorithm)


def verified(token: str, claimed: Claimed, *, audience: str) -> dict[str, Any]:
    """Answer the claims of ``token``, if it is the issuer's, meant for us, and valid now.

    Raises:
        IdTokenRefused: it is not.
        IssuerIsSilent: the issuer does not tell its keys.
    """
    jwk = key_of(claimed.issuer, claimed.kid)
    if jwk is None or jwk.get("kty") != ALGORITHMS[claimed.algorithm]:
        raise IdTokenRefused("The issuer has no such key.")
    try:
        key = jwt.PyJWK(jwk, algorithm=claimed.algorithm)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[claimed.algorithm],
            audience=audience,
            issuer=claimed.issuer,
            leeway=LEEWAY,
            options={
                "require": ["iss", "aud", "exp", "iat"],
                "strict_aud": True,
                "enforce_minimum_key_length": True,
            },
        )
    except (jwt.PyJWTError, OverflowError) as problem:
        raise IdTokenRefused(f"The identity token is refused: {problem}.") from None
    if not _is_short_lived(claims):
        raise IdTokenRefused("The identity token is valid for more than a day.")
    return claims


def _is_short_lived(claims: dict[str, Any]) -> bool:
    """Whether it is; times that are no numbers, or numbers without end, are those of no token."""
    begins, ends = claims["iat"], claims["exp"]
    if not (isinstance(begins, int | float) and isinstance(ends, int | float)):
        return False
    try:
        return float(ends) - float(begins) <= MAX_LIFE.total_seconds()
    except OverflowError:
        return False


def spend(claims: dict[str, Any], token: str) -> None:
    """Note within the caller's transaction that ``token`` was exchanged.

    Raises:
        IdTokenRefused: it was already. A database constraint decides between two at once.
    """
    # By its id rather than its bytes: a signature can often be written in two ways.
    name = str(claims.get("jti") or token.rpartition(".")[0])
    digest = hashlib.sha256(f"{claims['iss']}\n{name}".encode()).digest()
    expires_at = datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY
    try:
        with transaction.atomic():
            SpentIdToken.objects.create(digest=digest, expires_at=expires_at)
    except IntegrityError:
        raise IdTokenRefused("The identity token was exchanged already.") from None


def forget(*, now: datetime) -> None:
    """Forget tokens that their own date refuses by now."""
    SpentIdToken.objects.filter(expires_at__lt=now).delete()
