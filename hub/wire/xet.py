"""Wire: Xet tokens and the content-addressed store that they open (Xet protocol 1.1, CAS API).

What hf_xet does not find answered by 200 it must find answered by 404: any other status of a route
that we do not have fails the whole upload.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)

from hub.errors import BadObject, BlobNotFound
from hub.http.bytes import by_proxy, mark_partial, multipart, send_span
from hub.http.ranges import Span, parse_ranges
from hub.http.repo_views import OfRepo
from hub.http.uploads import Upload
from hub.models import Repo
from hub.policies import check_can
from hub.queries import xet as files
from hub.queries.repos import repo_for
from hub.queries.store import blob_store
from hub.services import xet
from hub.services.xet import CheckedShard, XetSession
from hub.storage.large_files import iter_blob
from hub.xet.hashing import from_text
from hub.xet.reconstruction import Fetch, v1_body, v2_body
from hub.xet.shards import MAX_SHARD_BYTES
from teams.errors import (
    Forbidden,
    Invalid,
    NotFound,
    OutOfSpace,
    Refusal,
    Unauthenticated,
    Unprocessable,
)
from teams.http.authentication import principal_of
from teams.http.origin import base_url
from teams.http.pagination import flag
from teams.http.refusals import refusal_behind
from teams.http.views import Public, WireView
from teams.policies import Principal
from teams.roles import Action

log = structlog.get_logger(__name__)

MAX_XORB_BODY = 72 * 1024 * 1024
NO_REVISION = "None"
"""What clients put in place of a revision that does not exist yet."""
ANY_SIZE = 1 << 62
_ONE_RANGE = re.compile(r"bytes=\d+-\d+", re.ASCII)


class XetToken(OfRepo, WireView):
    """GET /api/{kind}s/{name}/xet-read-token/{revision}: a token to read the repo by Xet."""

    authz = {"get": Action.REPO_READ}
    action = Action.REPO_READ

    def get(self, request: HttpRequest, **_: object) -> JsonResponse:
        if self.kwargs["revision"] != NO_REVISION:
            self.resolve()
        token = xet.issue_token(repo=self.repo, by=self.principal, action=self.action)
        url = f"{base_url(request)}/xet/{token.cas}"
        response = JsonResponse({"casUrl": url, "accessToken": token.text, "exp": token.expires})
        response["X-Xet-Cas-Url"] = url
        response["X-Xet-Access-Token"] = token.text
        response["X-Xet-Token-Expiration"] = str(token.expires)
        response["Cache-Control"] = "no-store"
        return response


class XetWriteToken(XetToken):
    """GET /api/{kind}s/{name}/xet-write-token/{revision}: a token to upload files by Xet."""

    authz = {"get": Action.REPO_WRITE}
    action = Action.REPO_WRITE

    def who(self, request: HttpRequest, method: str) -> Principal:
        return principal_of(request, with_session=False)

    def check(self, action: Action) -> None:
        if flag(self.request, "create_pr"):
            repo_for(self.principal, Action.REPO_READ, self.kwargs["kind"], self.kwargs["name"])
            raise Unprocessable("Pull requests are not supported here. Commit to a branch instead.")
        super().check(action)


class CasView(WireView):
    """What routes below a casUrl share: the token says who, which repo and which domain."""

    given: XetSession

    def who(self, request: HttpRequest, method: str) -> Principal:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Send a Xet token.")
        self.given = xet.session(token.strip(), cas=self.kwargs["cas"])
        return self.given.principal

    def check(self, action: Action) -> None:
        check_can(self.principal, action, self.repo)

    @property
    def repo(self) -> Repo:
        return self.given.repo

    def refuse(self, refusal: Refusal) -> HttpResponse:
        is_bad = isinstance(refusal, BadObject)
        return super().refuse(Invalid(refusal.message) if is_bad else refusal)

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return self.refuse(NotFound())


class Xorb(CasView):
    """POST, HEAD /v1/xorbs/default/{xorb}: take a xorb in; tell the size of one."""

    authz = {"post": Action.REPO_WRITE, "get": Action.REPO_READ}

    def post(self, request: HttpRequest, xorb: str, **_: object) -> JsonResponse:
        upload = Upload(request, most=MAX_XORB_BODY)
        try:
            upload.check_length()
            inserted = xet.accept_xorb(
                xorb=from_text(xorb),
                source=upload,
                domain_id=self.given.domain_id,
                by=self.given.user,
            )
        finally:
            upload.drain()
        return JsonResponse({"was_inserted": inserted})

    def head(self, _request: HttpRequest, xorb: str, **_: object) -> HttpResponse:
        known = files.known_xorbs(self.given.domain_id, [from_text(xorb)])
        if not known:
            raise BlobNotFound
        return _of_length(next(iter(known.values())).stored_bytes)


class File(CasView):
    """HEAD /v1/files/{file}: the size of a file of the token's repo."""

    authz = {"get": Action.REPO_READ}

    def head(self, _request: HttpRequest, file: str, **_: object) -> HttpResponse:
        return _of_length(files.size_of(self.repo.pk, from_text(file)))


class Shard(CasView):
    """POST /v1/shards: register files over xorbs that were uploaded before."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        for _done in self._registering(self._checked(request)):
            continue
        return JsonResponse({"result": 1})

    def _checked(self, request: HttpRequest) -> CheckedShard:
        upload = Upload(request, most=MAX_SHARD_BYTES)
        try:
            upload.check_length()
            body = b"".join(upload.pieces())
        finally:
            upload.drain()
        return xet.check_shard(body, domain_id=self.given.domain_id)

    def _registering(self, shard: CheckedShard) -> Iterator[int]:
        return xet.register(shard, repo=self.repo, by=self.given.user)


class ShardWithProgress(Shard):
    """POST /v2/shards: the same, with a line of JSON for each step: hashing may take minutes."""

    def post(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        shard = self._checked(request)
        lines = (json.dumps(event).encode() + b"\n" for event in self._events(shard))
        response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
        response["X-Accel-Buffering"] = "no"
        return response

    def _events(self, shard: CheckedShard) -> Iterator[dict[str, object]]:
        try:
            for done in self._registering(shard):
                yield {"type": "validating", "verified": done, "total": shard.size}
        except Refusal as refusal:
            yield _error_event(refusal)
        except (DatabaseError, OSError) as error:
            refusal_of_disk = refusal_behind(error)
            if refusal_of_disk is None:
                raise
            yield _error_event(refusal_of_disk)
        else:
            yield {"type": "result", "result": 1}


def _error_event(refusal: Refusal) -> dict[str, object]:
    can_retry = isinstance(refusal, OutOfSpace)
    return {"type": "error", "message": refusal.message, "retryable": can_retry}


class Reconstruction(CasView):
    """GET /v1, /v2/reconstructions/{file}: which bytes of which xorbs make a range of a file."""

    authz = {"get": Action.REPO_READ}

    def get(
        self, request: HttpRequest, file: str, version: str | None = None, **_: object
    ) -> JsonResponse:
        wanted = from_text(file)
        size = files.size_of(self.repo.pk, wanted)
        spans = parse_ranges(request.headers.get("Range", ""), size) or [(0, size)]
        plan = files.reconstruction(self.repo.pk, wanted, *spans[0])
        base = f"{base_url(request)}/xet/data"

        def url_for(xorb: bytes, fetches: Sequence[Fetch]) -> str:
            return f"{base}?signature={xet.sign_fetches(self.given, xorb, fetches)}"

        return JsonResponse((v2_body if version == "v2" else v1_body)(plan, url_for))


class NoSuchCasRoute(CasView):
    """Any other route below a casUrl, such as upload grants and chunk queries: 404."""

    authz = {
        method: Public("There is nothing behind it.")
        for method in ("get", "post", "put", "patch", "delete")
    }

    def who(self, request: HttpRequest, method: str) -> Principal:
        return Principal()

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        raise NotFound

    post = put = patch = delete = get


class Data(WireView):
    """GET /xet/data: exactly the signed bytes of a xorb."""

    authz = {"get": Public("The link itself is signed; its signer's rights are asked again.")}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        key, signed = xet.fetches_of(request.GET.get("signature", ""))
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


def _of_length(size: int) -> HttpResponse:
    response = HttpResponse(content_type="application/octet-stream")
    response["Content-Length"] = str(size)
    return response
