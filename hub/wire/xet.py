"""Wire: Xet tokens, and the signed links by which single pieces of a xorb are fetched."""

import re
from collections.abc import Iterable, Sequence
from uuid import uuid4

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)

from hub.http.bytes import by_proxy, mark_partial, multipart, send_span
from hub.http.proposals import ToRevision
from hub.http.ranges import Span, parse_ranges
from hub.http.repo_views import OfRepo
from hub.queries.store import blob_store
from hub.services import xet_tokens
from hub.storage.large_files import iter_blob
from teams.errors import Forbidden, Invalid
from teams.http.authentication import principal_of
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.views import Public, WireView
from teams.policies import Principal
from teams.roles import Action

NO_REVISION = "None"
"""What clients put in place of a revision that does not exist yet."""
ANY_SIZE = 1 << 62
_ONE_RANGE = re.compile(r"bytes=\d+-\d+", re.ASCII)


class XetToken(OfRepo, WireView):
    """GET /api/{kind}s/{name}/xet-read-token/{revision}: a token to read the repo by Xet."""

    bucket = "resolvers"
    authz = {"get": Action.REPO_READ}

    def token(self) -> xet_tokens.XetToken:
        action = Action.REPO_READ
        return xet_tokens.issue_token(repo=self.repo, by=self.principal, action=action)

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        if self.kwargs["revision"] != NO_REVISION:
            self.resolve()
        token = self.token()
        url = f"{base_url(request)}/xet/{token.cas}"
        response = JsonAnswer({"casUrl": url, "accessToken": token.text, "exp": token.expires})
        response["X-Xet-Cas-Url"] = url
        response["X-Xet-Access-Token"] = token.text
        response["X-Xet-Token-Expiration"] = str(token.expires)
        response["Cache-Control"] = "no-store"
        return response


class XetWriteToken(ToRevision, XetToken):
    """GET /api/{kind}s/{name}/xet-write-token/{revision}: a token to upload files by Xet."""

    authz = {"get": Action.REPO_WRITE}

    def who(self, request: HttpRequest, method: str) -> Principal:
        return principal_of(request, with_session=False)

    def token(self) -> xet_tokens.XetToken:
        return xet_tokens.issue_for_upload(repo=self.repo, by=self.principal)


class Data(WireView):
    """GET /xet/data: exactly the signed bytes of a xorb."""

    bucket = "resolvers"
    authz = {"get": Public("The link itself is signed; its signer's rights are asked again.")}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        key, signed = xet_tokens.fetches_of(request.GET.get("signature", ""))
        header = request.headers.get("Range", "")
        spans = parse_ranges(header, ANY_SIZE)
        if not spans:
            raise Invalid("Ask for a range of bytes.")
        if not all(_is_within(span, signed) for span in spans):
            raise Forbidden("This link does not give these bytes.")
        if len(spans) > 1:
            return _several(key, spans)
        return _one(request, key, header, spans[0])


def _is_within(span: Span, signed: Iterable[Span]) -> bool:
    return any(start <= span[0] and span[1] <= stop for start, stop in signed)


def _one(request: HttpRequest, key: str, header: str, span: Span) -> HttpResponseBase:
    # The proxy reads the headers again: only where it cannot take them otherwise than we did.
    is_plain = _ONE_RANGE.fullmatch(header) and "If-Range" not in request.headers
    if settings.ACCEL_PREFIX and is_plain:
        response: HttpResponseBase = by_proxy(key)
    else:
        response = send_span(key, span)
        mark_partial(response, span, None)
    response["Content-Type"] = "application/octet-stream"
    return response


def _several(key: str, spans: Sequence[Span]) -> HttpResponseBase:
    boundary = uuid4().hex
    store = blob_store()
    parts = multipart(spans, lambda a, b: iter_blob(store, key, a, b), boundary)
    kind = f"multipart/byteranges; boundary={boundary}"
    return StreamingHttpResponse(parts, status=206, content_type=kind)


class Telemetry(WireView):
    """POST /v1/telemetry: clients report their speed; we keep nothing."""

    authz = {"post": Public("It is thrown away.")}

    def who(self, request: HttpRequest, method: str) -> Principal:
        return Principal()

    def post(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return HttpResponse(status=204)
