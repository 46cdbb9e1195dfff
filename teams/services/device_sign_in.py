"""Sign in to a terminal from a browser: RFC 8628, as ``hf auth login`` does it.

The terminal asks for two codes, shows the short one to its user and asks again and again with the
long one; in the browser, where they are signed in, the user types the short one and lets it in.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from teams.errors import Forbidden, Invalid, NotFound, Unauthenticated
from teams.models import AccessToken, DeviceCode, User
from teams.policies import Principal
from teams.services import tokens
from teams.services.tokens import Wish

CLIENTS = frozenset({"26be6b09-91c5-47da-9861-d2d2bb7a7e36"})
"""Programs that may ask: the public client's own id, which is no secret."""
LIFE = timedelta(minutes=15)
INTERVAL = 5
SLOWER = 5
"""Seconds more, each time that a terminal asks too soon."""
MAX_INTERVAL = 60
MOST_WAITING = 20
"""Sign-ins that one address may begin within their life."""
MOST_GUESSES = 10
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that no code is a word (RFC 8628, 6.1)."""
_LENGTH = 8


class DeviceRefused(Invalid):
    """The terminal gets no token. ``error`` is what RFC 8628 calls the reason."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description, error=error, error_description=description)


class TooManyCodes(Forbidden):
    """Too many sign-ins wait at this address, or too many codes were wrong. Try again later."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a terminal is told at the beginning; both codes are kept nowhere."""

    device_code: str
    user_code: str
    interval: int
    expires_in: int


def begin(*, client_id: str, told: str, address: str) -> Begun:
    """Let a terminal wait.

    Raises:
        DeviceRefused: no such program is known.
        TooManyCodes: too many wait at that address.
    """
    if client_id not in CLIENTS:
        raise DeviceRefused("invalid_client", "This client_id is not known here.")
    _count(f"device-begin:{_hashed(address)}", MOST_WAITING)
    device_code, letters = secrets.token_urlsafe(32), _new_letters()
    now = timezone.now()
    DeviceCode.objects.filter(expires_at__lt=now - LIFE).delete()
    DeviceCode.objects.create(
        device_digest=_device_digest(device_code),
        user_digest=_user_digest(letters),
        client_id=client_id,
        told="".join(one for one in told if one.isprintable())[:200],
        expires_at=now + LIFE,
        interval=INTERVAL,
    )
    half = _LENGTH // 2
    user_code = f"{letters[:half]}-{letters[half:]}"
    return Begun(device_code, user_code, INTERVAL, int(LIFE.total_seconds()))


def waiting(*, user_code: str, by: User) -> DeviceCode:
    """Find the terminal that shows ``user_code``; who guesses is soon not heard any more.

    Raises:
        TooManyCodes: too many codes of theirs were wrong.
        NotFound: no terminal that waits shows it.
    """
    counter = f"device-guess:{by.pk}"
    letters = "".join(one for one in user_code.upper() if one in _LETTERS)
    found = DeviceCode.objects.filter(
        user_digest=_user_digest(letters),
        expires_at__gt=timezone.now(),
        user=None,
        denied_at=None,
    ).first()
    if found is None or (cache.get(counter) or 0) >= MOST_GUESSES:
        _count(counter, MOST_GUESSES)
        raise NotFound("No terminal that waits shows this code. It may have expired.")
    return found


def let_in(*, code: DeviceCode, by: Principal) -> None:
    """Let the terminal act as ``by``.

    Raises:
        NotFound: somebody answered it meanwhile.
    """
    _answer(code, user=_signed_in(by))


def turn_away(*, code: DeviceCode, by: Principal) -> None:
    """Tell the terminal that it was not wanted.

    Raises:
        NotFound: somebody answered it meanwhile.
    """
    _signed_in(by)
    _answer(code, denied_at=timezone.now())


def _signed_in(by: Principal) -> User:
    if by.user is None or by.token is not None:
        raise Unauthenticated
    return by.user


def _answer(code: DeviceCode, **columns: object) -> None:
    open_codes = DeviceCode.objects.filter(pk=code.pk, user=None, denied_at=None)
    if not open_codes.filter(expires_at__gt=timezone.now()).update(**columns):
        raise NotFound("This code was answered already, or it expired.")


def collect(*, device_code: str, client_id: str) -> str:
    """Answer the secret of a new token once the terminal was let in; each code gives one.

    Raises:
        DeviceRefused: it is not let in, not any more, or asks too often.
    """
    with transaction.atomic():
        codes = DeviceCode.objects.select_for_update(of=("self",)).select_related("user")
        found = codes.filter(device_digest=_device_digest(device_code), client_id=client_id).first()
        refusal = _refusal(found)
        if found is not None and refusal is None and found.user is not None:
            found.spent_at = timezone.now()
            found.save(update_fields=["spent_at"])
            return _token_for(found.user)
    # Outside, so that it stays noted when the terminal asked.
    raise refusal or _PENDING


_PENDING = DeviceRefused("authorization_pending", "Nobody let this terminal in yet.")


def _refusal(found: DeviceCode | None) -> DeviceRefused | None:
    """Why the terminal gets no token at this moment; notes that it asked."""
    if found is None:
        return DeviceRefused("invalid_grant", "This device_code is not one of ours.")
    now = timezone.now()
    ends = (
        (found.spent_at is not None, "invalid_grant", "This device_code was used already."),
        (found.denied_at is not None, "access_denied", "The sign-in was denied."),
        (found.expires_at <= now, "expired_token", "The code expired. Begin again."),
        (_is_away(found.user), "access_denied", "The account is switched off."),
    )
    for is_so, error, words in ends:
        if is_so:
            return DeviceRefused(error, words)
    return _not_yet(found, now) if found.user is None else None


def _is_away(user: User | None) -> bool:
    return user is not None and not user.is_active


def _not_yet(found: DeviceCode, now: datetime) -> DeviceRefused:
    last, found.asked_at = found.asked_at, now
    is_hasty = last is not None and (now - last).total_seconds() < found.interval - 1
    if is_hasty:
        found.interval = min(found.interval + SLOWER, MAX_INTERVAL)
    found.save(update_fields=["asked_at", "interval"])
    return DeviceRefused("slow_down", "Ask less often.") if is_hasty else _PENDING


def _token_for(user: User) -> str:
    wish = Wish(
        name=f"terminal {timezone.now():%Y-%m-%d %H.%M.%S}",
        role=AccessToken.TokenRole.WRITE,
        origin=AccessToken.Origin.OAUTH,
    )
    return tokens.issue_as(wish, user=user)[1]


def _count(counter: str, most: int) -> None:
    cache.add(counter, 0, int(LIFE.total_seconds()))
    try:
        count = cache.incr(counter)
    except ValueError:
        return
    if count > most:
        raise TooManyCodes


def _new_letters() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _device_digest(device_code: str) -> bytes:
    return hashlib.sha256(device_code.encode()).digest()


def _user_digest(letters: str) -> bytes:
    return salted_hmac("teams.device", letters, algorithm="sha256").digest()
