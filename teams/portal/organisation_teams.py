"""HTML: the teams of an organisation, and one team."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from teams.errors import Invalid
from teams.http.forms import REFUSED
from teams.models import Grant, Team
from teams.portal.of_organisation import OfOrganisation
from teams.portal.organisation_forms import NamedForm
from teams.queries import user_named
from teams.queries.organisations import (
    grants_to_team,
    members_of_team,
    members_without,
    team_of,
    teams_of,
)
from teams.roles import Action, Role
from teams.services import grouping


class Teams(OfOrganisation):
    """GET, POST /orgs/{name}/settings/teams."""

    authz = {"get": Action.ORG_SEE, "post": Action.ORG_TEAMS}
    tab = "teams"
    template = "teams/organisation_teams.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(NamedForm())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        form = NamedForm(request.POST)
        if form.is_valid():
            with form.showing_refusals("name"):
                team = grouping.create_team(
                    organisation=self.organisation, by=self.principal, **form.cleaned_data
                )
                return redirect(f"{self.home}/teams/{team.pk}")
        return self._page(form, status=REFUSED)

    def _page(self, form: NamedForm, status: int = 200) -> HttpResponse:
        context = {
            "teams": teams_of(self.organisation),
            "form": form,
            "may_change": self.may(Action.ORG_TEAMS),
        }
        return self.page(context, status)


class OneTeam(OfOrganisation):
    """GET, POST /orgs/{name}/settings/teams/{number}."""

    authz = {"get": Action.ORG_SEE, "post": Action.ORG_TEAMS}
    tab = "teams"
    template = "teams/team.html"

    def get(self, _request: HttpRequest, number: int, **_: object) -> HttpResponse:
        team = team_of(self.organisation, number)
        context = {
            "team": team,
            "members": members_of_team(team),
            "others": members_without(team),
            "grants": [(Role(grant.role).label, _on(grant)) for grant in grants_to_team(team)],
            "may_change": self.may(Action.ORG_TEAMS) and team.source == Team.Source.HERE,
        }
        return self.page(context)

    def post(self, request: HttpRequest, number: int, **_: object) -> HttpResponse:
        team, asked = team_of(self.organisation, number), request.POST
        if "delete" in asked:
            grouping.delete_team(team=team, by=self.principal)
            messages.success(request, f"The team {team.name} is gone.")
            return redirect(f"{self.home}/teams")
        if "join" in asked:
            grouping.join_team(team=team, user=user_named(asked["join"]), by=self.principal)
        elif "leave" in asked:
            grouping.leave_team(team=team, user=user_named(asked["leave"]), by=self.principal)
        else:
            raise Invalid("The form does not say what to change.")
        return redirect(f"{self.home}/teams/{team.pk}")


def _on(grant: Grant) -> str:
    if grant.group is not None:
        return f"the resource group {grant.group.name}"
    return "one repo" if grant.repo_id else "all repos outside of resource groups"
