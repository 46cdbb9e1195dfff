"""Pages: ``Link`` headers with absolute URLs for the wire."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from teams.errors import Invalid
from teams.http.origin import base_url


def with_next(response: HttpResponse, request: HttpRequest, **changes: str) -> HttpResponse:
    """Add ``Link: <...>; rel="next"``: this request's URL with ``changes`` to its query.

    Clients send no parameters of their own on following pages and resolve nothing against a base,
    so the URL is absolute and whole.
    """
    query = [(k, v) for k, vs in request.GET.lists() for v in vs if k not in changes]
    url = f"{base_url(request)}{request.path}?{urlencode([*query, *changes.items()])}"
    response["Link"] = f'<{url}>; rel="next"'
    return response


def limit_of(request: HttpRequest, *, default: int, most: int) -> int:
    """Read ``limit`` from the query.

    Raises:
        Invalid: it is not a positive number.
    """
    text = request.GET.get("limit", "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Invalid(f"limit must be a positive number, not {text!r}.")
    return min(int(text), most)


def flag(request: HttpRequest, name: str) -> bool:
    """Read a boolean of the query; old clients write ``True``, new ones ``true``."""
    return request.GET.get(name, "").lower() in {"true", "1"}
