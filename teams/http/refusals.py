"""The one table kind -> status, and how each door speaks a refusal."""

import errno
from collections.abc import Mapping
from http import HTTPStatus

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http.response import HttpResponseBase
from psycopg import errors as pg

from teams import errors
from teams.errors import OutOfSpace, Refusal, Unavailable
from teams.http.json_answer import JsonAnswer
from teams.policies import Principal

STATUS: Mapping[type[Refusal], HTTPStatus] = {
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Stale: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Unsatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Damaged: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutOfSpace: HTTPStatus.INSUFFICIENT_STORAGE,
}

RETRY_AFTER_SECONDS = 5
"""About what a restart of the database takes."""

_NOT_NOW = ("08", "53300", "57P")
"""SQLSTATEs: connection exceptions, too many connections, shut down or starting up."""

SIGN_IN_FIRST = frozenset({"RepoNotFound", "GatedRepo"})
"""Codes for which an anonymous caller hears 401: signing in may help, and says no more."""


def status_of(refusal: Refusal) -> HTTPStatus:
    """Answer the status of the kind that ``refusal`` is of."""
    for kind in type(refusal).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    raise TypeError(f"{type(refusal).__name__} is of no kind that has a status")


def on_the_wire(refusal: Refusal, principal: Principal | None) -> JsonAnswer:
    """Speak a refusal as public clients read it (``X-Error-Code``, ``X-Error-Message``).

    A hidden repo and a missing one give the same bytes, for everybody.
    """
    status = status_of(refusal)
    message = refusal.message
    if refusal.code in SIGN_IN_FIRST and (principal is None or principal.is_anonymous):
        status = HTTPStatus.UNAUTHORIZED
    response = JsonAnswer({"error": message, **refusal.details}, status=status)
    if refusal.code:
        response["X-Error-Code"] = refusal.code
    response["X-Error-Message"] = _header_safe(message)
    if status == HTTPStatus.NOT_FOUND and principal is not None and principal.is_narrowed:
        # Said of whatever is asked for: it tells of the token, and nothing of what is there.
        response["X-HF-Warning"] = f"access-token; {_NARROWED}"
    say_when(response)
    return response


_NARROWED = "What your access token is not for is shown to it as if it did not exist."


def refusal_behind(error: BaseException | None) -> Refusal | None:
    """Answer the refusal that a full disk or a lost database amounts to, or None for a bug."""
    if isinstance(error, DatabaseError):
        if isinstance(error.__cause__, pg.DiskFull):
            return OutOfSpace()
        return Unavailable() if _is_unreachable(error) else None
    if isinstance(error, OSError):
        return OutOfSpace() if error.errno in {errno.ENOSPC, errno.EDQUOT} else None
    return None


def _is_unreachable(error: DatabaseError) -> bool:
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    # Without a state it was not the database that spoke, but the connection to it.
    return state is None or state.startswith(_NOT_NOW)


def say_when(response: HttpResponseBase) -> None:
    """Tell clients when to try again."""
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)


def _header_safe(text: str) -> str:
    """Header values are ASCII on one line; the body keeps the original."""
    line = " ".join(text.split())
    return line.encode("ascii", "backslashreplace").decode("ascii")[:1000]
