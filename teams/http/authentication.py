"""Who is asking: bearer or basic token first, then the session; for all three doors."""

import base64
import binascii

from django.http import HttpRequest

from teams.errors import Unauthenticated
from teams.models import User
from teams.policies import Principal
from teams.queries import token_by_secret
from teams.services import audit, tokens


class InvalidToken(Unauthenticated):
    """Invalid credentials in Authorization header"""

    # Clients know the sentence above by heart; what is wrong exactly stands beside it.
    def __init__(self, why: str = "This is no access token of this hub.") -> None:
        super().__init__(error=why)


def principal_of(request: HttpRequest, *, with_session: bool) -> Principal:
    """Answer the caller. A request with a header is judged by its header alone, never by cookies.

    Raises:
        InvalidToken: the header holds no live token.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if header:
        return _by_token(_secret_in(header))
    if with_session and isinstance(request.user, User) and request.user.is_active:
        audit.came_by("session")
        return Principal(user=request.user, may_change=True)
    return Principal()


def _secret_in(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        # git and git-lfs send the token as password; some tools as user name with no password.
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidToken from None
        return password or user
    raise InvalidToken


def _by_token(secret: str) -> Principal:
    token = token_by_secret(secret) if tokens.is_well_formed(secret) else None
    if token is None:
        raise InvalidToken
    # Whoever holds the secret may hear what became of it.
    if token.revoked_at is not None:
        raise InvalidToken("This access token was revoked. Make a new one.")
    if not token.is_live:
        expired = token.expires_at is not None and token.user.is_active
        raise InvalidToken(
            f"This access token expired on {token.expires_at:%Y-%m-%d}. Make a new one."
            if expired
            else "The account of this access token is switched off."
        )
    tokens.touch(token)
    audit.came_by("token", token.pk)
    return Principal.by_token(token)
