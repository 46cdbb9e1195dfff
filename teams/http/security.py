"""What every request and every answer carry: an id, and the headers that keep browsers honest."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase

from teams.http import limits
from teams.http.address import address_of
from teams.services import audit

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_GOOD_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
}
STRICT_TRANSPORT = "max-age=31536000"


class RequestIdMiddleware:
    """Gives each request an id, which its log lines and its answer name."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        agent = request.META.get("HTTP_USER_AGENT", "")
        audit.begin_request(address=address_of(request), agent=agent, request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            audit.end_request()
        response["X-Request-Id"] = request_id
        return response


class AnswerMiddleware:
    """Checks the host asked for, and completes the headers of the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()
        response = self.get_response(request)
        limits.tell(request, response)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            for name, value in PAGE_HEADERS.items():
                response.headers.setdefault(name, value)
        if settings.SESSION_COOKIE_SECURE:
            response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
        if response.streaming:
            _let_go_of_the_database()
        elif isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
            if request.method == "HEAD":
                response.content = b""
        return response


def _let_go_of_the_database() -> None:
    """A download may last an hour and needs no connection; a stream that does opens another."""
    if not connection.in_atomic_block:
        connection.close()
