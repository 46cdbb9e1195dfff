"""Wire: the signed links that an LFS batch gives. Whoever has one needs no other credential."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from hub.errors import BadObject
from hub.http.bytes import serve
from hub.http.uploads import Upload
from hub.queries.content import large_content
from hub.services import sent_uploads, uploads
from hub.services.passes import BadPass, Redeemed
from hub.services.sent_uploads import SentParts
from hub.services.uploads import Announced
from hub.wire.lfs import MEDIA_TYPE, LfsView
from teams.errors import Invalid
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.views import Public
from teams.policies import Principal

SIGNED = Public("The link itself is signed; its signer's rights are asked again.")


class SignedView(LfsView):
    """What signed links share: a header that git-lfs adds of its own accord is not looked at."""

    def who(self, request: HttpRequest, method: str) -> Principal:
        return Principal()

    @property
    def signature(self) -> str:
        return self.request.GET.get("signature", "")


class Transfer(SignedView):
    """PUT, POST /api/lfs/upload: the bytes of a large file; or the word that all parts came."""

    authz = {"put": SIGNED, "post": SIGNED}

    def put(self, request: HttpRequest) -> HttpResponse:
        announced, shown = uploads.signed("upload", self.signature)
        if "parts" in shown.claims:
            raise BadPass("This file is to be uploaded in parts.")
        upload = _checked(request, announced.size)
        try:
            uploads.receive(
                repo=shown.repo,
                announced=announced,
                pieces=upload.pieces(),
                by=shown.principal.user,
            )
        finally:
            upload.drain()
        return HttpResponse()

    def post(self, request: HttpRequest) -> HttpResponse:
        announced, shown = uploads.signed("upload", self.signature)
        parts = shown.claims.get("parts", 0)
        numbers = [part.integer("partNumber") for part in Body.of(request).objects("parts")]
        if numbers != list(range(1, parts + 1)):
            raise Invalid(f'"parts" must name the parts 1 to {parts}, in order.')
        _join(announced, shown, parts)
        return HttpResponse()


def _join(announced: Announced, shown: Redeemed, parts: int) -> None:
    upload, by = shown.claims["upload"], shown.principal.user
    if stored_as := shown.claims.get("stored_as"):
        sent = SentParts(upload, stored_as, parts)
        sent_uploads.join_parts(repo=shown.repo, announced=announced, sent=sent, by=by)
    else:
        uploads.join_parts(repo=shown.repo, announced=announced, upload=upload, parts=parts, by=by)


class Sent(SignedView):
    """POST /api/lfs/verify: the word that the bytes of a large file were sent to the store."""

    authz = {"post": SIGNED}

    def post(self, _request: HttpRequest) -> JsonAnswer:
        announced, shown = uploads.signed("verify", self.signature)
        sent_uploads.receive(
            repo=shown.repo,
            announced=announced,
            upload=shown.claims["upload"],
            by=shown.principal.user,
        )
        body = {"oid": announced.sha256.hex(), "size": announced.size}
        return JsonAnswer(body, content_type=MEDIA_TYPE)


class Part(SignedView):
    """PUT /api/lfs/part: the bytes of one part."""

    authz = {"put": SIGNED}

    def put(self, request: HttpRequest) -> HttpResponse:
        announced, shown = uploads.signed("part", self.signature)
        upload = _checked(request, announced.size)
        try:
            digest = uploads.receive_part(
                upload=shown.claims["upload"],
                number=shown.claims["part"],
                size=announced.size,
                pieces=upload.pieces(),
            )
        finally:
            upload.drain()
        return HttpResponse(headers={"ETag": f'"{digest}"'})


class Download(SignedView):
    """GET /api/lfs/download: the bytes of a large file."""

    authz = {"get": SIGNED}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        announced, shown = uploads.signed("download", self.signature)
        name = announced.sha256.hex()
        return serve(request, large_content(shown.repo, announced.sha256, name))


def _checked(request: HttpRequest, size: int) -> Upload:
    """Refuse before it is read what can't be right; a chunked body is counted as it comes."""
    upload = Upload(request, most=size)
    if upload.announced not in {None, size}:
        upload.drain()
        raise BadObject(f"The upload has {upload.announced:,} bytes; announced were {size:,}.")
    return upload
