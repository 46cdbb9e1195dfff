"""Wire: Git LFS as git-lfs documents it (batch, basic, locks), and multipart as clients add it."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from hub.errors import BlobNotFound
from hub.http.repo_views import OfRepo
from hub.policies import check_can, check_can_write_to
from hub.queries.blobs import damaged, held
from hub.queries.scans import refusal_of, withheld
from hub.services import quotas, sent_uploads, uploads, xet_tokens
from hub.services.blobs import held_or_adopted
from hub.services.sent_uploads import Offer, part_sizes
from hub.services.uploads import Announced
from hub.wire.commits import digest_of
from teams.errors import Invalid, NotFound, Refusal, TooLarge, Unprocessable
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.refusals import status_of
from teams.http.views import WireView
from teams.roles import Action

MEDIA_TYPE = "application/vnd.git-lfs+json"
MAX_OBJECTS = 1000
REALM = 'Basic realm="Weighhouse", charset="UTF-8"'

Entry = dict[str, Any]


class LfsView(WireView):
    """What views of LFS share: the media type, and how git-lfs wants to hear a refusal."""

    bucket = "resolvers"

    def refuse(self, refusal: Refusal) -> HttpResponse:
        response = super().refuse(refusal)
        message = {"message": refusal.message, "error": refusal.message}
        spoken = _answer(message, status=response.status_code)
        for name in ("X-Error-Code", "X-Error-Message"):
            if name in response:
                spoken[name] = response[name]
        if response.status_code == 401:  # noqa: PLR2004 - unauthorized
            spoken["WWW-Authenticate"] = spoken["LFS-Authenticate"] = REALM
        return spoken


class Batch(OfRepo, LfsView):
    """POST /{name}.git/info/lfs/objects/batch: where to put, or get, large files."""

    authz = {"post": Action.REPO_READ}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        if body.text("hash_algo", "sha256") != "sha256":
            raise Unprocessable("Objects are named by their SHA-256 here.")
        entries = body.objects("objects")
        if len(entries) > MAX_OBJECTS:
            raise TooLarge(f"Ask for at most {MAX_OBJECTS} objects at a time.")
        answers = {"upload": self._upload, "download": self._download}
        operation = body.text("operation")
        if operation not in answers:
            raise Invalid('"operation" must be "upload" or "download".')
        return _answer(answers[operation](body, entries) | {"hash_algo": "sha256"})

    def _download(self, _body: Body, entries: list[Body]) -> Entry:
        found = held(self.repo.pk, _digests(entries))
        kept = withheld(self.repo, found.keys())
        return {
            "transfer": "basic",
            "objects": [
                _spoken(entry, lambda one: self._download_of(one, found, kept)) for entry in entries
            ],
        }

    def _download_of(
        self, one: Announced, found: Mapping[bytes, Any], kept: Collection[bytes]
    ) -> Entry:
        if one.sha256 not in found:
            raise BlobNotFound("This object is not in the repo.")
        if one.sha256 in kept:
            raise refusal_of(self.repo, [one.sha256])
        return {"actions": {"download": {"href": self._link("download", one)} | _EXPIRY}}

    def _upload(self, body: Body, entries: list[Body]) -> Entry:
        self._check_upload(body)
        digests = _digests(entries)
        sizes = held_or_adopted(repo=self.repo, digests=digests, by=self.principal)
        # What is damaged is asked for as if it were new: the upload heals it.
        for sha256 in damaged(digests):
            sizes.pop(sha256, None)
        new = sum(one.size for one in _sound(entries) if one.sha256 not in sizes)
        if new:
            quotas.check_room(self.repo.namespace, new)
        plan = _Plan.of(body.texts("transfers"), entries)
        if plan.transfer == "xet":
            plan.xet_action = self._xet_action(body)
        return {
            "transfer": plan.transfer,
            "objects": [
                _spoken(entry, lambda one: self._upload_of(one, sizes, plan)) for entry in entries
            ],
        }

    def _check_upload(self, body: Body) -> None:
        """Who names no ref may upload for a pull request that is yet to be."""
        named = body.values.get("ref")
        ref = Body(named).text("name", "") if isinstance(named, dict) else ""
        if ref:
            check_can_write_to(self.principal, self.repo, ref)
        else:
            check_can(self.principal, Action.REPO_PROPOSE, self.repo)

    def _upload_of(self, one: Announced, sizes: Mapping[bytes, int], plan: "_Plan") -> Entry:
        if one.size > settings.MAX_FILE_BYTES:
            raise TooLarge(f"A file may have at most {settings.MAX_FILE_BYTES:,} bytes.")
        known = sizes.get(one.sha256)
        if known == one.size:
            return {}
        if known is not None:
            raise Unprocessable(f"The object {one.sha256.hex()} has {known:,} bytes.")
        if plan.xet_action is not None:
            return {"actions": {"upload": plan.xet_action}}
        if plan.transfer == "multipart" and one.size:
            return {"actions": {"upload": self._in_parts(one) | _EXPIRY} | self._verify()}
        if offer := sent_uploads.offer_link(one):
            return self._straight_to_store(one, offer)
        upload = {"href": self._link("upload", one)} | _EXPIRY
        return {"actions": {"upload": upload} | self._verify()}

    def _verify(self) -> Entry:
        url = f"{base_url(self.request)}{self.repo.url}.git/info/lfs/objects/verify"
        return {"verify": {"href": url}}

    def _straight_to_store(self, one: Announced, offer: Offer) -> Entry:
        """The file counts as uploaded only once the client asks us to verify it."""
        verify = {"href": self._link("verify", one, upload=offer.upload)}
        upload = {"href": offer.urls[0]} | _EXPIRY
        # Authenticated: a password of ours is none of the store's business.
        return {"authenticated": True, "actions": {"upload": upload, "verify": verify}}

    def _in_parts(self, one: Announced) -> Entry:
        """``header`` holds a size and a URL per part, in order, and must hold nothing else."""
        claims: dict[str, str | int]
        if offer := sent_uploads.offer_parts(one, settings.LFS_PART_BYTES):
            urls, part_bytes = list(offer.urls), offer.part_bytes
            claims = {"upload": offer.upload, "stored_as": offer.stored_as}
        else:
            claims, part_bytes = {"upload": token_hex(16)}, settings.LFS_PART_BYTES
            urls = [
                self._link("part", Announced(one.sha256, size), part=number, **claims)
                for number, size in enumerate(part_sizes(one.size, part_bytes), 1)
            ]
        header = {str(number): url for number, url in enumerate(urls, 1)}
        href = self._link("upload", one, parts=len(urls), **claims)
        return {"href": href, "header": {"chunk_size": str(part_bytes)} | header}

    def _xet_action(self, body: Body) -> Entry:
        """What git-xet reads; the public library only looks at ``transfer``."""
        token = xet_tokens.issue_for_upload(repo=self.repo, by=self.principal)
        base, kind = base_url(self.request), self.repo.repo_kind.plural
        return {
            "href": f"{base}/api/{kind}/{self.repo}/xet-write-token/{self.repo.default_branch}",
            "header": {
                "X-Xet-Cas-Url": f"{base}/xet/{token.cas}",
                "X-Xet-Access-Token": token.text,
                "X-Xet-Token-Expiration": str(token.expires),
            },
        }

    def _link(self, verb: uploads.Verb, one: Announced, **claims: str | int) -> str:
        signature = uploads.sign(verb, one, repo=self.repo, by=self.principal, **claims)
        return f"{base_url(self.request)}/api/lfs/{verb}?signature={signature}"


class Verify(OfRepo, LfsView):
    """POST /{name}.git/info/lfs/objects/verify: did the upload arrive?"""

    authz = {"post": Action.REPO_READ}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        one = _announced(Body.of(request))
        found = held(self.repo.pk, [one.sha256]).get(one.sha256)
        if found is None:
            raise BlobNotFound(f"The object {one.sha256.hex()} was not uploaded to this repo.")
        if found.size != one.size:
            raise Unprocessable(f"The object has {found.size:,} bytes, not {one.size:,}.")
        return _answer({"oid": one.sha256.hex(), "size": one.size})


class Locks(OfRepo, LfsView):
    """GET, POST /{name}.git/info/lfs/locks: there are none, and none can be taken."""

    authz = {"get": Action.REPO_READ, "post": Action.REPO_READ}

    def get(self, _request: HttpRequest, **_: object) -> JsonAnswer:
        return _answer({"locks": []})

    def post(self, _request: HttpRequest, **_: object) -> JsonAnswer:
        raise NotFound("File locks are not kept here.")


class VerifyLocks(OfRepo, LfsView):
    """POST /{name}.git/info/lfs/locks/verify: git-lfs asks before each push."""

    authz = {"post": Action.REPO_READ}

    def post(self, _request: HttpRequest, **_: object) -> JsonAnswer:
        return _answer({"ours": [], "theirs": []})


_EXPIRY = {"expires_in": int(uploads.LINK_LIFE.total_seconds())}


class _Plan:
    """One transfer for a whole batch: that is how git-lfs reads the answer."""

    def __init__(self, transfer: str) -> None:
        self.transfer = transfer
        self.xet_action: Entry | None = None

    @classmethod
    def of(cls, offered: list[str], entries: list[Body]) -> "_Plan":
        if "xet" in offered:
            return cls("xet")
        sizes = [size for entry in entries if isinstance(size := entry.values.get("size"), int)]
        has_huge = max(sizes, default=0) > settings.LFS_MULTIPART_FROM
        return cls("multipart" if has_huge and "multipart" in offered else "basic")


def _spoken(entry: Body, answer_for: Callable[[Announced], Entry]) -> Entry:
    """One object of the answer: what is wrong with it is its own matter, not the batch's."""
    oid, size = entry.values.get("oid"), entry.values.get("size")
    row: Entry = {
        "oid": oid if isinstance(oid, str) else "",
        "size": size if isinstance(size, int) else 0,
    }
    try:
        row |= answer_for(_announced(entry))
    except Refusal as refusal:
        row["error"] = {"code": int(status_of(refusal)), "message": refusal.message}
    return row


def _announced(entry: Body) -> Announced:
    try:
        sha256, size = digest_of(entry.text("oid")), entry.integer("size")
    except Invalid as problem:
        raise Unprocessable(problem.message) from None
    if size is None:
        raise Unprocessable('"size" must be a whole number.')
    return Announced(sha256, size)


def _digests(entries: list[Body]) -> list[bytes]:
    return [one.sha256 for one in _sound(entries)]


def _sound(entries: list[Body]) -> list[Announced]:
    """Those that can be; what is wrong with the others each is told by itself."""
    sound: list[Announced] = []
    for entry in entries:
        with suppress(Unprocessable):
            sound.append(_announced(entry))
    return sound


def _answer(body: Mapping[str, object], status: int = 200) -> JsonAnswer:
    return JsonAnswer(dict(body), status=status, content_type=MEDIA_TYPE)
