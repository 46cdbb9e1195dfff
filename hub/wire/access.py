"""Wire: access requests to gated repos, as ``HfApi`` calls them.

https://huggingface.co/docs/huggingface_hub/package_reference/hf_api, ``accept_access_request`` and
others.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.errors import AccessRequestNotFound
from hub.http.dates import iso
from hub.http.repo_views import OfRepo
from hub.models import AccessRequest
from hub.queries.access import request_to, requests_to
from hub.services import access
from teams.errors import NotFound
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.views import WireView
from teams.names import public_id
from teams.queries import user_named
from teams.roles import Action

PAGE = 1000


def request_json(one: AccessRequest) -> dict[str, Any]:
    """A request in the shape that clients read; who was let in unasked shows no address."""
    user = {"user": one.user.name, "fullname": one.user.fullname or one.user.name}
    if one.was_asked and one.user.email:
        user["email"] = one.user.email
    told: dict[str, Any] = {
        "requestId": public_id(one.pk),
        "status": one.status,
        "timestamp": iso(one.asked_at),
        "user": user,
    }
    if one.fields:
        told["fields"] = one.fields
    if not one.was_asked and one.decided_by is not None:
        told["grantedBy"] = {"user": one.decided_by.name}
    return told


class Requests(OfRepo, WireView):
    """GET /api/{kind}s/{name}/user-access-request/{status}."""

    authz = {"get": Action.ACCESS_SEE}

    def get(self, request: HttpRequest, *, status: str, **_: object) -> HttpResponse:
        if status not in AccessRequest.Status.values:
            raise NotFound(f"There is no list of {status} requests.")
        limit = limit_of(request, default=PAGE, most=PAGE)
        page = requests_to(self.repo, status, cursor=request.GET.get("cursor", ""), limit=limit)
        response = JsonAnswer([request_json(one) for one in page.requests])
        if page.next_cursor:
            with_next(response, request, cursor=page.next_cursor)
        return response


class Handle(OfRepo, WireView):
    """POST /api/{kind}s/{name}/user-access-request/handle: accept, reject, or put back to wait."""

    authz = {"post": Action.ACCESS_DECIDE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        body = Body.of(request)
        found = self._named(body)
        found.repo = self.repo
        reason = body.text("rejectionReason", "")
        access.decide(request=found, status=body.text("status"), by=self.principal, reason=reason)
        return JsonAnswer(request_json(found))

    def _named(self, body: Body) -> AccessRequest:
        if request_id := body.text("requestId", ""):
            return request_to(self.repo, request_id=request_id)
        name = body.text("user")
        try:
            user = user_named(name)
        except NotFound:
            raise AccessRequestNotFound(f"{name} did not ask for access to this repo.") from None
        return request_to(self.repo, user=user)


class Grant(OfRepo, WireView):
    """POST /api/{kind}s/{name}/user-access-request/grant."""

    authz = {"post": Action.ACCESS_DECIDE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        user = user_named(Body.of(request).text("user"))
        made = access.grant(repo=self.repo, user=user, by=self.principal)
        return JsonAnswer(request_json(made))


class Ask(OfRepo, WireView):
    """POST /api/{kind}s/{name}/ask-access: ask to be let in, with ``fields`` by their labels."""

    authz = {"post": Action.REPO_ASK}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        told = Body.of(request).values.get("fields")
        given = Body(told if isinstance(told, dict) else {})
        sent = {label: _as_text(given, label) for label in given.values}
        return JsonAnswer(request_json(access.ask(repo=self.repo, by=self.principal, sent=sent)))


def _as_text(given: Body, label: str) -> str:
    value = given.values[label]
    if isinstance(value, bool):
        return "on" if value else ""
    return given.text(label) if isinstance(value, str) else ""
