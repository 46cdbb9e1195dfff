"""Wire: git's smart HTTP, protocol v0 to v2: refs, and fetching (gitprotocol-http)."""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import IO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from hub.git import advertisement
from hub.git.advertisement import Service
from hub.git.fetch_reply import before_pack
from hub.git.fetch_request import FetchRequest, read_v0, read_v2
from hub.git.pkt_line import Mark, PacketReader, line, on_data_band
from hub.git.refs import BRANCHES
from hub.http.git_bodies import GitBody
from hub.http.repo_views import OfRepo
from hub.policies import check_can_push
from hub.queries.wanted import advertised
from hub.services import fetches
from hub.storage.digests import CHUNK_BYTES
from hub.wire.lfs import REALM
from teams.errors import Forbidden, Invalid, Refusal
from teams.http.views import WireView
from teams.roles import Action

MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""What a client may say in one round: enough to want half a million objects."""
_VERSION = re.compile(r"(?:^|:)version=([012])(?=:|$)", re.ASCII)


class GitView(OfRepo, WireView):
    """What views of git share: refusals as git reads them, and which protocol is spoken."""

    bucket = "resolvers"

    def refuse(self, refusal: Refusal) -> HttpResponse:
        """Git shows plain text to its user, and asks for a password if it hears of Basic."""
        told = super().refuse(refusal)
        spoken = HttpResponse(
            f"{refusal.message}\n",
            status=told.status_code,
            content_type="text/plain; charset=utf-8",
        )
        for name in ("X-Error-Code", "X-Error-Message"):
            if name in told:
                spoken[name] = told[name]
        if told.status_code == 401:  # noqa: PLR2004 - unauthorized
            spoken["WWW-Authenticate"] = REALM
        return spoken

    @cached_property
    def version(self) -> int:
        found = _VERSION.findall(self.request.headers.get("Git-Protocol", ""))
        return max(map(int, found), default=0)

    @property
    def default_ref(self) -> str:
        """The ref that HEAD stands for."""
        return BRANCHES + self.repo.default_branch


class InfoRefs(GitView):
    """GET /{name}[.git]/info/refs: the refs, or what may be asked for in protocol v2."""

    authz = {"get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        service = _service(request.GET.get("service", ""))
        if service is Service.RECEIVE_PACK:
            check_can_push(self.principal, self.repo)
        if service is Service.UPLOAD_PACK and self.version == 2:  # noqa: PLR2004 - its name
            told = advertisement.abilities_v2()
        else:
            # There is no second version of pushing: who offers it hears of the first.
            refs = advertised(self.repo)
            told = advertisement.refs_v0(
                service, refs, self.default_ref, version=1 if self.version == 1 else 0
            )
        kind = f"application/x-{service}-advertisement"
        return HttpResponse(told, content_type=kind, headers=_UNCACHED)


def _service(text: str) -> Service:
    try:
        return Service(text)
    except ValueError:
        raise Forbidden("Only git's smart HTTP is spoken here; update your git.") from None


class UploadPack(GitView):
    """POST /{name}[.git]/git-upload-pack: one round of a fetch, or one command of protocol v2."""

    authz = {"post": Action.REPO_READ}

    def refuse(self, refusal: Refusal) -> HttpResponse:
        """Once git is let in, it reads what is wrong in its own words only."""
        if not hasattr(self, "repo"):
            return super().refuse(refusal)
        return self._result(line(f"ERR {refusal.message}"))

    def post(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        body = GitBody(request, most=MAX_REQUEST_BYTES)
        try:
            packets = PacketReader(body)
            if self.version == 2:  # noqa: PLR2004 - its name
                return self._command(packets)
            return self._fetch(read_v0(packets))
        finally:
            body.drain()

    def _command(self, packets: PacketReader) -> HttpResponseBase:
        name, arguments = _read_command(packets)
        answers: dict[bytes, Callable[[list[bytes]], HttpResponseBase]] = {
            b"ls-refs": self._list_refs,
            b"fetch": lambda lines: self._fetch(read_v2(lines)),
        }
        if name not in answers:
            raise Invalid(f"The command {name[:40].decode(errors='replace')!r} is not known.")
        return answers[name](arguments)

    def _list_refs(self, arguments: list[bytes]) -> HttpResponse:
        return self._result(
            advertisement.refs_v2(arguments, advertised(self.repo), self.default_ref)
        )

    def _fetch(self, request: FetchRequest) -> HttpResponseBase:
        reply = fetches.fetch(repo=self.repo, request=request)
        start = before_pack(request, reply.agreement)
        if reply.pack is None:
            return self._result(start)
        framed = request.version == 2 or "side-band-64k" in request.flags  # noqa: PLR2004
        pack = _pieces(reply.pack)
        return self._stream(start, on_data_band(pack) if framed else pack)

    def _result(self, told: bytes) -> HttpResponse:
        return HttpResponse(told, content_type=_RESULT, headers=_UNCACHED)

    def _stream(self, start: bytes, pieces: Iterator[bytes]) -> StreamingHttpResponse:
        def parts() -> Iterator[bytes]:
            yield start
            yield from pieces

        return StreamingHttpResponse(parts(), content_type=_RESULT, headers=_UNCACHED)


_UNCACHED = {"Cache-Control": "no-cache"}
_RESULT = f"application/x-{Service.UPLOAD_PACK}-result"


def _read_command(packets: PacketReader) -> tuple[bytes, list[bytes]]:
    """Read the name of a command and its arguments; between the two stand abilities."""
    name, abilities = b"", b""
    while isinstance(packet := packets.next(), bytes):
        if packet.startswith(b"command="):
            name = packet.removeprefix(b"command=")
        elif packet.startswith(b"object-format="):
            abilities = packet
    if abilities not in {b"", b"object-format=sha1"}:
        raise Invalid("Objects are named by their SHA-1 here.")
    return name, list(packets.section()) if packet is Mark.DELIMITER else []


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
