"""Rate limits: how many requests somebody may send in five minutes, and the headers that tell.

Each process counts for itself and brings what it counted to the database in lots of a fiftieth of
the limit (:mod:`teams.services.rates`): so a request costs a look into a dictionary, and all
processes of all machines know of each other's with little delay. Where the database does not
answer, each process goes on with its own count.

The headers are those of draft-ietf-httpapi-ratelimit-headers-09 as the public client reads them:
``RateLimit: "api";r=499;t=212`` and ``RateLimit-Policy: "fixed window";"api";q=500;w=300``.
"""

import ipaddress
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from teams.errors import Refusal, TooMany
from teams.http.address import address_of
from teams.http.authentication import principal_of
from teams.policies import Principal
from teams.services import rates
from teams.services.rates import WINDOW_SECONDS, span_of

log = structlog.get_logger(__name__)

Bucket = Literal["api", "resolvers", "pages", ""]
"""What is counted together; nothing is counted in the empty one."""

_LOTS = 50
_MOST_BEARERS = 100_000
"""How many callers a process remembers; then it begins anew, which lets more through, not less."""


@dataclass(slots=True)
class _Count:
    """What one process knows of one caller in the present window."""

    known: int = 0
    """What all processes had counted when this one last asked."""
    own: int = 0
    """What this one counted since."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Where a caller stands."""

    bucket: Bucket
    quota: int
    remaining: int
    seconds_left: int

    def tell(self, response: HttpResponseBase) -> None:
        """Write it into the headers of an answer."""
        policy = f'"fixed window";"{self.bucket}";q={self.quota};w={WINDOW_SECONDS}'
        response.headers["RateLimit"] = f'"{self.bucket}";r={self.remaining};t={self.seconds_left}'
        response.headers["RateLimit-Policy"] = policy


class _Window:
    """All counts of one window of a process."""

    def __init__(self, span: int) -> None:
        self.span = span
        self.counts: dict[str, _Count] = {}

    def spend(self, bearer: str, quota: int) -> int:
        """Count one request of ``bearer``; answer how many that makes, as far as we know."""
        if len(self.counts) > _MOST_BEARERS:
            self.counts.clear()
        count = self.counts.setdefault(bearer, _Count())
        count.own += 1
        if count.own >= max(1, quota // _LOTS) and count.known <= quota:
            brought, count.own = count.own, 0
            count.known = self._add(bearer, brought, count.known)
        return count.known + count.own

    def _add(self, bearer: str, requests: int, known: int) -> int:
        try:
            return rates.add(bearer, self.span, requests)
        except DatabaseError as reason:
            log.warning("rates_are_local", reason=str(reason))
            return known + requests


_window = _Window(0)


def caller(request: HttpRequest, bucket: Bucket, *, with_session: bool) -> Principal:
    """Answer who asks, and count the request; the answer's headers will tell of it.

    Wrong credentials count for the address that they come from.

    Raises:
        TooMany: there were too many in this window.
        Unauthenticated: the request shows a credential that is none.
    """
    try:
        principal = principal_of(request, with_session=with_session)
    except Refusal:
        _count(request, bucket, Principal())
        raise
    _count(request, bucket, principal)
    return principal


def tell(request: HttpRequest, response: HttpResponseBase) -> None:
    """Write where the caller stands into the answer, if the request was counted."""
    rate: Rate | None = getattr(request, "rate", None)
    if rate is not None:
        rate.tell(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response.headers["Retry-After"] = str(rate.seconds_left)


def _count(request: HttpRequest, bucket: Bucket, principal: Principal) -> None:
    limits = settings.RATE_ANONYMOUS if principal.user is None else settings.RATE_USER
    quota = limits.get(bucket, 0)
    if not quota:
        return
    now = time.time()
    used = _present(span_of(now)).spend(f"{bucket} {_bearer(request, principal)}", quota)
    left = WINDOW_SECONDS - int(now) % WINDOW_SECONDS
    rate = Rate(bucket, quota, max(0, quota - used), left)
    request.rate = rate  # type: ignore[attr-defined]
    if used > quota:
        who = "your address" if principal.user is None else principal.user.name
        advice = " Sign in, or send an access token, for more." if principal.user is None else ""
        raise TooMany(
            f"{quota:,} requests of this kind in {WINDOW_SECONDS // 60} minutes are the most "
            f"for {who}. Wait {left} seconds.{advice}"
        )


def _present(span: int) -> _Window:
    global _window  # noqa: PLW0603 - the one window of this process
    if _window.span != span:
        _window = _Window(span)
    return _window


def _bearer(request: HttpRequest, principal: Principal) -> str:
    """All tokens and sessions of a user count together; so do the addresses of one IPv6 network."""
    if principal.user is not None:
        return f"user {principal.user.pk}"
    address = address_of(request)
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    except ValueError:
        return address[:64]
