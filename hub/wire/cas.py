"""Wire: the content-addressed store below a casUrl (Xet protocol 1.1, CAS API).

What hf_xet does not find answered by 200 it must find answered by 404: any other status of a route
that we do not have fails the whole upload.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)

from hub.errors import BadObject, BlobNotFound
from hub.http.ranges import parse_ranges
from hub.http.uploads import Upload
from hub.http.xorb_urls import XorbUrls
from hub.models import Repo
from hub.policies import check_can, knows_whole_of
from hub.queries import xet as files
from hub.queries.scans import check_served
from hub.services import xet_dedup, xet_grants, xet_intake, xet_tokens, xet_xorbs
from hub.services.xet_intake import CheckedShard
from hub.services.xet_tokens import XetSession
from hub.xet.hashing import from_text
from hub.xet.reconstruction import v1_body, v2_body
from hub.xet.shards import MAX_SHARD_BYTES
from teams.errors import (
    Invalid,
    NotFound,
    OutOfSpace,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.refusals import refusal_behind
from teams.http.views import Public, WireView
from teams.policies import Principal
from teams.roles import Action

MAX_XORB_BODY = 72 * 1024 * 1024


class CasView(WireView):
    """What routes below a casUrl share: the token says who, which repo and which domain."""

    given: XetSession

    def who(self, request: HttpRequest, method: str) -> Principal:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Send a Xet token.")
        self.given = xet_tokens.session(token.strip(), cas=self.kwargs["cas"])
        return self.given.principal

    def check(self, action: Action) -> None:
        if self.given.proposes and action is Action.REPO_WRITE:
            action = Action.REPO_PROPOSE
        if not self.given.is_ours:
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

    # Readers of one repo have no business with what others of its domain hold.
    authz = {"post": Action.REPO_WRITE, "get": Action.REPO_WRITE}

    def post(self, request: HttpRequest, xorb: str, **_: object) -> JsonAnswer:
        upload = Upload(request, most=MAX_XORB_BODY)
        try:
            upload.check_length()
            inserted = xet_xorbs.accept_xorb(
                xorb=from_text(xorb),
                source=upload,
                domain_id=self.given.domain_id,
                by=self.given.user,
            )
        finally:
            upload.drain()
        return JsonAnswer({"was_inserted": inserted})

    def head(self, _request: HttpRequest, xorb: str, **_: object) -> HttpResponse:
        known = files.known_xorbs(self.given.domain_id, [from_text(xorb)])
        if not known:
            raise BlobNotFound
        return _of_length(next(iter(known.values())).stored_bytes)


class Chunk(CasView):
    """GET /v1/chunks/default/{chunk}: the domain's xorbs that hold a chunk, and what is near it."""

    authz = {"get": Action.REPO_WRITE}

    def get(self, _request: HttpRequest, chunk: str, **_: object) -> HttpResponse:
        if not self._may_know_of_all():
            raise BlobNotFound
        shard = xet_dedup.answer(from_text(chunk), cas=self.kwargs["cas"])
        response = HttpResponse(shard, content_type="application/octet-stream")
        response["Cache-Control"] = "no-store"
        return response

    def _may_know_of_all(self) -> bool:
        """A domain is a whole namespace: who may not read all of it hears of none of its chunks."""
        user = self.given.user
        if self.given.is_ours or user is None:
            return self.given.is_ours
        namespace_id = user.namespace_id if self.given.proposes else self.repo.namespace_id
        return knows_whole_of(self.principal, namespace_id)


class Grant(CasView):
    """POST /v1/xorb-grants/default/{xorb}: how a xorb may come, before it is sent.

    200 where the domain holds it and it need not come; 201 with a link where the store takes it;
    404 lets it come the usual way. The client takes any other answer for the end of the upload.
    """

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, xorb: str, **_: object) -> HttpResponse:
        wanted, domain_id = from_text(xorb), self.given.domain_id
        if xet_xorbs.keep_known(wanted, domain_id=domain_id):
            return JsonAnswer({})
        length = Body.of(request).integer("length")
        found = xet_grants.grant(wanted, length=length or 0, domain_id=domain_id)
        if found is None:
            raise NotFound
        return JsonAnswer(
            {
                "id": found.id,
                "method": "PUT",
                "url": found.link.url,
                "headers": dict(found.link.headers),
            },
            status=201,
        )


class Granted(CasView):
    """POST /v1/xorb-commits/default/{xorb}/grant/{id}: what came by a link is to be kept."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, _request: HttpRequest, xorb: str, grant: str, **_: object) -> HttpResponse:
        given = self.given
        xet_grants.accept(from_text(xorb), grant, domain_id=given.domain_id, by=given.user)
        return JsonAnswer({})


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
        return JsonAnswer({"result": 1})

    def _checked(self, request: HttpRequest) -> CheckedShard:
        upload = Upload(request, most=MAX_SHARD_BYTES)
        try:
            upload.check_length()
            body = b"".join(upload.pieces())
        finally:
            upload.drain()
        return xet_intake.check_shard(body, domain_id=self.given.domain_id)

    def _registering(self, shard: CheckedShard) -> Iterator[int]:
        return xet_intake.register(shard, repo=self.repo, by=self.given.user)


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
    can_retry = isinstance(refusal, OutOfSpace | Unavailable)
    return {"type": "error", "message": refusal.message, "retryable": can_retry}


class Reconstruction(CasView):
    """GET /v1, /v2/reconstructions/{file}: which bytes of which xorbs make a range of a file."""

    authz = {"get": Action.REPO_READ}

    def get(
        self, request: HttpRequest, file: str, version: str | None = None, **_: object
    ) -> JsonAnswer:
        wanted = from_text(file)
        size, sha256 = files.facts_of(self.repo.pk, wanted)
        check_served(self.repo, sha256)
        spans = parse_ranges(request.headers.get("Range", ""), size) or [(0, size)]
        plan = files.reconstruction(self.repo.pk, wanted, *spans[0])
        urls = XorbUrls(request, self.given, plan)
        if version == "v2":
            return JsonAnswer(v2_body(plan, urls, per_url=urls.per_url))
        return JsonAnswer(v1_body(plan, urls))


class NoSuchCasRoute(CasView):
    """Any other route below a casUrl: 404."""

    authz = {
        method: Public("There is nothing behind it.")
        for method in ("get", "post", "put", "patch", "delete")
    }

    def who(self, request: HttpRequest, method: str) -> Principal:
        return Principal()

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        raise NotFound

    post = put = patch = delete = get


def _of_length(size: int) -> HttpResponse:
    response = HttpResponse(content_type="application/octet-stream")
    response["Content-Length"] = str(size)
    return response
