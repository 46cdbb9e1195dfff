"""Routing on the undecoded target, because %2F matters on the wire.

Clients quote revisions and tree paths whole: ``/revision/refs%2Fpr%2F1``. WSGI hands over a decoded
path in which that is three segments. So every route of ours matches the raw target, and the
converters of ``hub.urls.converters`` decode what they matched.
"""

from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


class RawPathMiddleware:
    """Gives the resolver the path as the client wrote it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.path_info = request.path = raw_path(request)
        return self.get_response(request)


def raw_path(request: HttpRequest) -> str:
    """Answer the undecoded path of the target; rebuilt by quoting where the server hides it."""
    target: str = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    if not target.startswith("/"):
        # An absolute-form target, or a server that tells only the decoded path.
        return quote(request.path_info, safe="/~!$&'()*+,;=:@")
    return target.partition("?")[0]
