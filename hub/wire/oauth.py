"""Wire: a CI job exchanges its identity token for one of ours (RFC 8693).

What the public client does for HF_OIDC_RESOURCE: huggingface.co/docs/hub/trusted-publishers.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from hub.errors import BadName
from hub.models import Repo
from hub.names import RepoKind, RepoName
from hub.queries.repos import find_repo
from hub.services import publishers
from hub.services.id_tokens import IdTokenRefused
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.views import Public, WireView
from teams.wire import device

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the name of a kind of token
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - likewise


class Token(WireView):
    """POST /oauth/token."""

    authz = {"post": Public("Whoever asks shows an identity token, which is what is judged.")}

    def post(self, request: HttpRequest) -> HttpResponse:
        body = Body(request.POST.dict()) if _is_form(request) else Body.of(request)
        grant = body.text("grant_type", "")
        if grant == device.GRANT:
            return device.collected(
                device_code=body.text("device_code", ""), client_id=body.text("client_id", "")
            )
        if grant != EXCHANGE:
            raise _unreadable(
                f"This grant_type is not taken here: {grant!r}.", "unsupported_grant_type"
            )
        if body.text("subject_token_type", ID_TOKEN) != ID_TOKEN:
            raise _unreadable(f"subject_token_type must be {ID_TOKEN}.")
        made = publishers.exchange(
            repo=_repo_called(body.text("resource", "")),
            id_token=body.text("subject_token", ""),
            audience=base_url(request),
        )
        answer = JsonAnswer(
            {
                "access_token": made.secret,
                "token_type": "bearer",
                "expires_in": int(made.lasts.total_seconds()),
                "issued_token_type": ACCESS_TOKEN,
            },
            status=HTTPStatus.OK,
        )
        answer["Cache-Control"] = "no-store"
        return answer


def _is_form(request: HttpRequest) -> bool:
    return request.content_type == "application/x-www-form-urlencoded"


def _repo_called(resource: str) -> Repo | None:
    """The repo that ``ns/name``, ``datasets/ns/name`` or ``spaces/ns/name`` names.

    Raises:
        IdTokenRefused: it can name none.
    """
    first, _, rest = resource.partition("/")
    kinds = {kind.plural: kind for kind in RepoKind}
    kind, name = (
        (kinds[first], rest) if first in kinds and "/" in rest else (RepoKind.MODEL, resource)
    )
    try:
        return find_repo(kind, RepoName.parse(name))
    except BadName:
        raise _unreadable(
            "resource must name a repo: namespace/name, datasets/namespace/name or spaces/…."
        ) from None


def _unreadable(why: str, error: str = "invalid_request") -> IdTokenRefused:
    return IdTokenRefused(why, error)
