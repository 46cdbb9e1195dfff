"""When a delivery is tried again, and when a webhook rests: tables, no clock, no chance."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

DELAYS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before attempt 1, 2, …: ten attempts in 75.6 hours."""
MAX_ATTEMPTS = len(DELAYS)
JITTER = 0.2
OVERLOADED_SECONDS = 60
"""The least that a receiver is left alone who is overloaded or slow."""
MOST_RETRY_AFTER = 6 * 3600
FAILURES_TO_OPEN = 10
"""So many in a row, and the webhook rests."""
WINDOW = timedelta(minutes=5)
"""Within it so many attempts are enough to judge a receiver by."""
ENOUGH_ATTEMPTS = 20
_FIRST_REST, _LONGEST_REST = 60, 3600
DISABLE_AFTER = timedelta(days=5)
"""Of nothing but failures."""
WARN_AFTER = DISABLE_AFTER / 2

_OVERLOADED = {429, 502, 504}
_SAYS_WHEN = {429, 503}


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from an answer."""

    is_done: bool = False
    delay: float | None = None
    """Seconds until the next attempt; None: there is none."""
    pause: float = 0
    """Seconds for which the receiver wants to hear nothing at all."""
    is_gone: bool = False
    """The receiver says that it is gone for good."""


def after(
    *, attempt: int, status: int | None, is_late: bool, retry_after: str, now: datetime, roll: float
) -> Next:
    """Say what follows attempt number ``attempt``; ``roll`` is a random number from 0 to 1."""
    if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Next(is_done=True)
    if status == HTTPStatus.GONE:
        return Next(is_gone=True)
    pause = asked_pause(retry_after, now) if status in _SAYS_WHEN else 0.0
    if attempt >= MAX_ATTEMPTS:
        return Next(pause=pause)
    delay = DELAYS[attempt] * (1 - JITTER + 2 * JITTER * roll)
    if is_late or status in _OVERLOADED:
        delay = max(delay, OVERLOADED_SECONDS)
    return Next(delay=max(delay, pause), pause=pause)


def asked_pause(text: str, now: datetime) -> float:
    """Read ``Retry-After``, seconds or a date; nonsense is 0, and 6 hours are the most."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), MOST_RETRY_AFTER))
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max((when - now).total_seconds(), 0.0), MOST_RETRY_AFTER)


def rest(failures: int) -> float:
    """Seconds of rest after so many failures in a row; longer with each that follows."""
    return nth_rest(failures - FAILURES_TO_OPEN + 1)


def nth_rest(number: int) -> float:
    """Seconds of the rest that is number ``number`` in a row; there is none before the first."""
    if number < 1:
        return 0.0
    return float(min(_FIRST_REST * 2 ** min(number - 1, 10), _LONGEST_REST))


def is_poor(attempts: int, failures: int) -> bool:
    """Whether half or more of enough attempts failed."""
    return attempts >= ENOUGH_ATTEMPTS and failures * 2 >= attempts
