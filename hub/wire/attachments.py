"""Wire: files that comments show. https://huggingface.co/docs/huggingface_hub, ``hf_api``."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from hub.http.bytes import serve
from hub.http.uploads import Upload
from hub.queries.attachments import PLACE, address_of, attachment_for
from hub.queries.store import blob_store
from hub.services import attachments
from hub.storage.digests import lfs_key
from hub.storage.large_files import Content, iter_blob
from teams.http.origin import base_url
from teams.http.views import Public, WireView
from teams.roles import Action


class Attachments(WireView):
    """POST /uploads: the body is the file; the answer is its URL, as plain text."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest) -> HttpResponse:
        media_type = request.content_type or ""
        body = Upload(request, most=attachments.most_of(media_type))
        body.check_length()
        made = attachments.upload(
            media_type=media_type, pieces=body.pieces(), by=self.principal, now=timezone.now()
        )
        url = f"{base_url(request)}{address_of(made)}"
        return HttpResponse(url, content_type="text/plain; charset=utf-8")


class OneAttachment(WireView):
    """GET /uploads/{file}: its bytes, for who may read what shows it."""

    authz = {"get": Public("Whoever may read a comment sees what it shows; the view asks.")}

    def get(self, request: HttpRequest, file: str) -> HttpResponseBase:
        found = attachment_for(self.principal, PLACE + file)
        sha256, size, store = bytes(found.blob_id), found.blob.size, blob_store()
        key = lfs_key(sha256)
        content = Content(
            name=file,
            etag=sha256.hex(),
            size=size,
            read=lambda start, stop: iter_blob(store, key, start, stop),
            key=key,
        )
        return serve(request, content)
