"""HTML: who has a role on a repo or in a resource group, and which repos a group holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.models import Repo
from hub.names import RepoKind, RepoName
from hub.portal.repo_page import RepoPage
from hub.queries.repos import repo_for
from hub.services import resource_groups
from teams.errors import Invalid
from teams.http.forms import REFUSED
from teams.models import Grant, Namespace, Organisation, ResourceGroup, Team, User
from teams.models.standing import Place
from teams.names import KINDS, number_in
from teams.portal.of_organisation import OfOrganisation
from teams.portal.organisation_forms import GrantForm, NamedForm, role_of
from teams.queries import organisation_named, user_named
from teams.queries.organisations import (
    grant_on,
    grants_on,
    group_of,
    groups_known_to,
    groups_of,
    team_of,
    teams_of,
)
from teams.roles import Action, Role
from teams.services import grants, grouping
from teams.services.grants import GrantWish

MOST_SHOWN = 200
"""Repos on the page of a group."""


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """A grant as pages list it."""

    id: int
    name: str
    url: str
    is_team: bool
    role: str
    kinds: str
    expires_at: datetime | None

    @classmethod
    def of(cls, grant: Grant, owner: Namespace) -> "ShownGrant":
        team, user = grant.team, grant.user
        name = team.name if team else user.name if user else ""
        return cls(
            id=grant.pk,
            name=name,
            url=f"/orgs/{owner.name}/settings/teams/{team.pk}" if team else f"/{name}",
            is_team=team is not None,
            role=Role(grant.role).label,
            kinds="" if len(grant.kinds) == len(KINDS) else ", ".join(grant.kinds),
            expires_at=grant.expires_at,
        )


def wish_in(form: GrantForm, organisation: Organisation | None) -> GrantWish:
    """Read what a form wishes for.

    Raises:
        NotFound: there is no such team or user.
    """
    values = form.cleaned_data
    to: User | Team
    if organisation is not None and values.get("to"):
        to = team_of(organisation, number_in(values["to"], "The team"))
    else:
        to = user_named(values["user"])
    kinds: Sequence[str] = values.get("kinds", KINDS)
    return GrantWish(to, role_of(values["role"]), kinds, form.expires_at)


def teams_to_choose(organisation: Organisation | None) -> list[tuple[str, str]]:
    if organisation is None:
        return []
    return [(str(team.pk), team.name) for team in teams_of(organisation)]


class Groups(OfOrganisation):
    """GET, POST /orgs/{name}/settings/resource-groups."""

    authz = {"get": Action.ORG_SEE, "post": Action.ORG_MANAGE}
    tab = "resource-groups"
    template = "hub/resource_groups.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(NamedForm())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        form = NamedForm(request.POST)
        if form.is_valid():
            with form.showing_refusals("name"):
                group = grouping.create_group(
                    organisation=self.organisation, by=self.principal, **form.cleaned_data
                )
                return redirect(f"{self.home}/resource-groups/{group.pk}")
        return self._page(form, status=REFUSED)

    def _page(self, form: NamedForm, status: int = 200) -> HttpResponse:
        """Members see the groups that they are in; of others not even the name."""
        groups = groups_known_to(self.organisation, self.principal)
        return self.page({"groups": groups, "form": form}, status)


class OneGroup(OfOrganisation):
    """GET, POST /orgs/{name}/settings/resource-groups/{number}: for who is an admin of it."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}
    tab = "resource-groups"
    template = "hub/resource_group.html"
    group: ResourceGroup

    def check(self, action: Action) -> None:
        self.organisation = organisation_named(self.kwargs["name"])
        self.place = Place(self.organisation.namespace_id, group_id=self.kwargs["number"])
        grants.check_can_grant(self.principal, self.place)
        self.group = group_of(self.organisation, self.kwargs["number"])

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(GrantForm(teams=teams_to_choose(self.organisation)))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        asked, here = request.POST, f"{self.home}/resource-groups/{self.group.pk}"
        if "take" in asked:
            grant = grant_on(self.place, number_in(asked["take"], "The grant"))
            grants.take(grant=grant, by=self.principal)
            return redirect(here)
        if "give" in asked:
            return self._give(here)
        if "put" in asked or "out" in asked:
            return self._put(here)
        if "delete" in asked:
            grouping.delete_group(
                organisation=self.organisation, group=self.group, by=self.principal
            )
            messages.success(request, f"The resource group {self.group.name} is gone.")
            return redirect(f"{self.home}/resource-groups")
        raise Invalid("The form does not say what to change.")

    def _give(self, here: str) -> HttpResponse:
        form = GrantForm(self.request.POST, teams=teams_to_choose(self.organisation))
        if form.is_valid():
            with form.showing_refusals():
                wish = wish_in(form, self.organisation)
                grants.give(on=self.place, wish=wish, by=self.principal)
                return redirect(here)
        return self._page(form, status=REFUSED)

    def _put(self, here: str) -> HttpResponse:
        asked = self.request.POST
        kind, _, name = asked.get("put", asked.get("out", "")).partition(":")
        if kind not in set(RepoKind):
            raise Invalid("The form does not say which repo.")
        repo = repo_for(
            self.principal, Action.REPO_SEE, RepoKind(kind), RepoName(self.organisation.name, name)
        )
        group_id = self.group.pk if "put" in asked else None
        resource_groups.put(repo=repo, group_id=group_id, by=self.principal)
        return redirect(here)

    def _page(self, form: GrantForm, status: int = 200) -> HttpResponse:
        owned = Repo.objects.filter(namespace=self.organisation.namespace_id)
        owned = owned.select_related("namespace").order_by("kind", "name")
        is_admin = self.may(Action.ORG_MANAGE)
        outside = owned.filter(resource_group=None)[:MOST_SHOWN] if is_admin else []
        owner = self.organisation.namespace
        context = {
            "group": self.group,
            "grants": [ShownGrant.of(grant, owner) for grant in grants_on(self.place)],
            "repos": owned.filter(resource_group=self.group)[:MOST_SHOWN],
            "outside": outside,
            "form": form,
        }
        return self.page(context, status)


class RepoAccess(RepoPage):
    """GET, POST /{name}/access: who has a role on this repo beside members."""

    authz = {"get": Action.REPO_PROTECT, "post": Action.REPO_PROTECT}
    tab = "settings"
    template = "hub/access.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(self._form())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        asked, here = request.POST, f"{self.repo.url}/access"
        if "take" in asked:
            grant = grant_on(self._place, number_in(asked["take"], "The grant"))
            resource_groups.take(repo=self.repo, grant=grant, by=self.principal)
            return redirect(here)
        if "group" in asked:
            group_id = number_in(asked["group"], "The group") if asked["group"] else None
            resource_groups.put(repo=self.repo, group_id=group_id, by=self.principal)
            return redirect(here)
        form = self._form(asked)
        if form.is_valid():
            with form.showing_refusals():
                wish = wish_in(form, self._organisation)
                resource_groups.give(repo=self.repo, wish=wish, by=self.principal)
                return redirect(here)
        return self._page(form, status=REFUSED)

    @property
    def _place(self) -> Place:
        return Place(self.repo.namespace_id, repo_id=self.repo.pk)

    @property
    def _organisation(self) -> Organisation | None:
        owner = self.repo.namespace
        is_org = owner.kind == Namespace.Kind.ORGANISATION
        return organisation_named(owner.name) if is_org else None

    def _form(self, *sent: object) -> GrantForm:
        return GrantForm(*sent, teams=teams_to_choose(self._organisation), one_repo=True)

    def _page(self, form: GrantForm, status: int = 200) -> HttpResponse:
        organisation = self._organisation
        may_group = self.principal.role_in(self.repo.namespace_id) == Role.ADMIN
        found = grants_on(self._place)
        context = {
            "grants": [ShownGrant.of(grant, self.repo.namespace) for grant in found],
            "groups": groups_of(organisation) if organisation and may_group else [],
            "group": self.repo.resource_group,
            "form": form,
        }
        return self.page(context, status=status)
