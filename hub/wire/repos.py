"""Wire: create, delete, move, settings, duplicate, auth-check, and what one owns."""

from django.http import HttpRequest, HttpResponse

from hub.errors import RepoNotFound
from hub.http.dates import iso
from hub.http.repo_views import OfRepo, repo_named
from hub.models import Repo
from hub.names import RepoKind, RepoName
from hub.queries.blobs import storage_of
from hub.queries.owned import owned_by
from hub.queries.repos import find_repo, repo_for
from hub.services import repos
from hub.services.repos import RepoSettings
from teams.errors import Conflict, Forbidden, Invalid
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.pagination import limit_of, with_next
from teams.http.views import WireView
from teams.models import Namespace
from teams.names import number_in_id
from teams.policies import Principal
from teams.queries import namespace_named
from teams.roles import Action, Role


def repo_created(repo: Repo, request: HttpRequest) -> dict[str, object]:
    """What clients read of a repo that now exists."""
    return {"url": f"{base_url(request)}{repo.url}", "name": repo.full_name, "id": repo.public_id}


def kind_in(body: Body, key: str = "type") -> RepoKind:
    """Read the kind of a repo; none means a model.

    Raises:
        Invalid: there is no such kind.
    """
    text = body.text(key, RepoKind.MODEL)
    if text not in set(RepoKind):
        raise Invalid(f'"{key}" must be one of {", ".join(RepoKind)}; not {text!r}.')
    return RepoKind(text)


def visibility_in(body: Body) -> str | None:
    """Read visibility in either form: ``visibility``, or ``private`` of older clients."""
    if body.values.get("visibility") is not None:
        return body.text("visibility")
    private = body.boolean("private")
    if private is None:
        return None
    return Repo.Visibility.PRIVATE if private else Repo.Visibility.PUBLIC


def group_in(body: Body) -> int | None:
    """Read the resource group that a body names; None without one.

    Raises:
        Invalid: it is no string.
    """
    text = body.text("resourceGroupId", "")
    return number_in_id(text) if text else None


class WithConflictUrl(WireView):
    """Answers a conflict with the URL of the repo that is in the way; clients need it."""

    def created(self, kind: RepoKind, name: RepoName, request: HttpRequest) -> Conflict:
        there = find_repo(kind, name)
        url = there.url if there else f"/{kind.prefix}{name}"
        return Conflict(
            f"You already created this {kind} repo: {name}", url=f"{base_url(request)}{url}"
        )


class Create(WithConflictUrl):
    """POST /api/repos/create."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest) -> JsonAnswer:
        body = Body.of(request)
        kind = kind_in(body)
        name = _full_name(body, self.principal.user.name if self.principal.user else "")
        try:
            repo = repos.create(
                kind=kind,
                name=name,
                by=self.principal,
                visibility=visibility_in(body) or "",
                sdk=body.text("sdk", ""),
                group_id=group_in(body),
            )
        except Conflict:
            raise self.created(kind, name, request) from None
        return JsonAnswer(repo_created(repo, request))


def _full_name(body: Body, caller: str) -> RepoName:
    """``name`` with its namespace, else in ``organization``, else in the caller's own."""
    name = body.text("name")
    if "/" not in name:
        name = f"{body.text('organization', '') or caller}/{name}"
    return RepoName.parse(name)


class Delete(WireView):
    """DELETE /api/repos/delete."""

    authz = {"delete": Action.SIGN_IN_TO_WRITE}

    def delete(self, request: HttpRequest) -> JsonAnswer:
        body = Body.of(request)
        caller = self.principal.user.name if self.principal.user else ""
        name = repo_named(str(_full_name(body, caller)))
        repo = repo_for(self.principal, Action.REPO_MANAGE, kind_in(body), name)
        repos.delete(repo=repo, by=self.principal)
        return JsonAnswer({"success": True})


class Move(WireView):
    """POST /api/repos/move."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest) -> JsonAnswer:
        body = Body.of(request)
        name = repo_named(body.text("fromRepo"))
        repo = repo_for(self.principal, Action.REPO_MANAGE, kind_in(body), name)
        repos.move(repo=repo, to=RepoName.parse(body.text("toRepo")), by=self.principal)
        return JsonAnswer(repo_created(repo, request))


class Settings(OfRepo, WireView):
    """PUT /api/{kind}s/{name}/settings."""

    authz = {"put": Action.REPO_MANAGE}

    def put(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        gate = body.values.get("gated")
        if gate is not None and gate is not False and not isinstance(gate, str):
            raise Invalid('"gated" must be one of "auto", "manual", false.')
        settings = RepoSettings(
            visibility=visibility_in(body),
            gate=None if gate is None else gate or "",
            discussions_disabled=body.boolean("discussionsDisabled"),
        )
        repos.change_settings(repo=self.repo, settings=settings, by=self.principal)
        return JsonAnswer(
            {
                "private": self.repo.private,
                "visibility": self.repo.visibility,
                "gated": self.repo.gated,
                "discussionsDisabled": self.repo.discussions_disabled,
            }
        )


class Duplicate(OfRepo, WithConflictUrl):
    """POST /api/{kind}s/{name}/duplicate."""

    authz = {"post": Action.REPO_READ}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        to = RepoName.parse(body.text("repository"))
        # Without a wish the copy is as visible as its source: private stays private.
        visibility = visibility_in(body) or self.repo.visibility
        try:
            made = repos.duplicate(
                source=self.repo, to=to, by=self.principal, visibility=visibility
            )
        except Conflict:
            raise self.created(self.repo.repo_kind, to, request) from None
        return JsonAnswer(repo_created(made, request) | {"filesCopyPending": False})


class AuthCheck(OfRepo, WireView):
    """GET /api/{kind}s/{name}/auth-check: 200 if the caller may read the files."""

    authz = {"get": Action.REPO_READ}

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return JsonAnswer({})


class AuthCheckWrite(OfRepo, WireView):
    """GET /api/{kind}s/{name}/auth-check/write: 200 if the caller may commit."""

    authz = {"get": Action.REPO_WRITE}

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return JsonAnswer({})


class Mine(WireView):
    """GET /api/settings/repositories: the caller's own repos with their storage."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.principal.user is None:
            raise RepoNotFound
        return _listing(request, self.principal.user.namespace, self.principal)


class OfOrganisation(WireView):
    """GET /api/organizations/{owner}/settings/repositories."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest, owner: str) -> HttpResponse:
        namespace = namespace_named(owner)
        if self.principal.role_in(namespace.pk) < Role.READ:
            raise Forbidden(f"You are not a member of {namespace.name}.")
        return _listing(request, namespace, self.principal)


def _listing(request: HttpRequest, namespace: Namespace, reader: Principal) -> HttpResponse:
    limit = limit_of(request, default=100, most=1000)
    after = request.GET.get("cursor", "")
    found = owned_by(namespace, reader=reader, after=after, limit=limit + 1)
    storage = storage_of(repo.pk for repo in found)
    rows = [
        {
            "id": repo.full_name,
            "type": repo.kind,
            "updatedAt": iso(repo.last_modified),
            "visibility": repo.visibility,
            "storage": storage.get(repo.pk, 0),
        }
        for repo in found[:limit]
    ]
    response = JsonAnswer(rows)
    if len(found) > limit:
        with_next(response, request, cursor=str(found[limit - 1].pk))
    return response
