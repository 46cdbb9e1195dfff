"""Wire: `git push` over smart HTTP (gitprotocol-pack, «Pushing Data To a Server»)."""

from collections.abc import Iterator, Mapping

from django.http import HttpRequest, HttpResponse

from hub.git.advertisement import Service
from hub.git.pack_reader import Limits
from hub.git.pkt_line import DATA_BAND, PROGRESS_BAND, Mark, PacketReader, line, on_band
from hub.git.push_request import PushRequest
from hub.http.git_bodies import GitBody
from hub.policies import check_can_push
from hub.services import quotas
from hub.services.push_rules import RefsRefused
from hub.services.pushes import push
from hub.wire.git import GitView
from teams.errors import Refusal
from teams.roles import Action

MAX_COMMAND_BYTES = 16 * 1024 * 1024
_RESULT = f"application/x-{Service.RECEIVE_PACK}-result"
_MOST_OF_A_REASON = 500


class ReceivePack(GitView):
    """POST /{name}[.git]/git-receive-pack: refs to move, and the pack that they need."""

    authz = {"post": Action.REPO_READ}

    def check(self, action: Action) -> None:
        super().check(action)
        check_can_push(self.principal, self.repo)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        body = GitBody(request, most=Limits().pack_bytes + MAX_COMMAND_BYTES)
        try:
            wanted = PushRequest.read(PacketReader(body))
            told = self._carry_out(wanted, body) if wanted.updates else b""
        finally:
            body.drain()
        return HttpResponse(told, content_type=_RESULT, headers={"Cache-Control": "no-cache"})

    def _carry_out(self, wanted: PushRequest, body: GitBody) -> bytes:
        try:
            if wanted.brings_pack:
                quotas.check_room(self.repo.namespace)
            push(
                repo=self.repo,
                updates=wanted.updates,
                source=body if wanted.brings_pack else None,
                by=self.principal,
            )
        except RefsRefused as refusal:
            return _report(wanted, "ok", refusal.reasons)
        except Refusal as refusal:
            return _report(wanted, _first_line(refusal.message), {}, refusal.message)
        return _report(wanted, "ok", None)


def _report(
    wanted: PushRequest, unpacked: str, reasons: Mapping[str, str] | None, told: str = ""
) -> bytes:
    """Tell the outcome of each ref; without ``reasons`` all have moved, with them none has."""
    lines = b"".join(map(line, _lines(wanted, unpacked, reasons))) + Mark.FLUSH.value
    if "report-status" not in wanted.abilities and "report-status-v2" not in wanted.abilities:
        lines = b""
    if "side-band-64k" not in wanted.abilities:
        return lines
    shown = on_band(PROGRESS_BAND, f"{told}\n".encode()) if told else b""
    return shown + on_band(DATA_BAND, lines) + Mark.FLUSH.value


def _lines(wanted: PushRequest, unpacked: str, reasons: Mapping[str, str] | None) -> Iterator[str]:
    yield f"unpack {unpacked}"
    for update in wanted.updates:
        if reasons is None:
            yield f"ok {update.ref}"
        else:
            other = "another ref was refused" if reasons else "the push was refused"
            yield f"ng {update.ref} {reasons.get(update.ref, other)}"


def _first_line(message: str) -> str:
    return message.partition("\n")[0][:_MOST_OF_A_REASON]
