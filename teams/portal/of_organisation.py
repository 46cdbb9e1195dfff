"""OfOrganisation: what the pages of one organisation's settings share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from teams.http.views import PortalView
from teams.models import Organisation
from teams.policies import check_in, may_in
from teams.queries import organisation_named
from teams.roles import Action


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the settings."""

    label: str
    url: str
    active: bool
    count: str = ""


def tabs_of(organisation: Organisation, active: str, *, is_admin: bool) -> list[Tab]:
    """The pages of an organisation's settings; those for admins only where ``is_admin``."""
    pages = {
        "members": "Members",
        "teams": "Teams",
        "resource-groups": "Resource groups",
    }
    if is_admin:
        pages |= {
            "profile": "Profile and defaults",
            "sso": "Single sign-on",
            "tokens": "Tokens",
            "audit": "Audit log",
        }
    home = f"/orgs/{organisation.name}/settings"
    return [Tab(label, f"{home}/{page}", page == active) for page, label in pages.items()]


@method_decorator(never_cache, name="dispatch")
class OfOrganisation(PortalView):
    """Finds the organisation that the URL names and asks the rule."""

    organisation: Organisation
    tab = ""
    template = ""

    def check(self, action: Action) -> None:
        self.organisation = organisation_named(self.kwargs["name"])
        check_in(self.principal, action, self.organisation)

    def may(self, action: Action) -> bool:
        return may_in(self.principal, action, self.organisation)

    @property
    def home(self) -> str:
        """Where the settings begin."""
        return f"/orgs/{self.organisation.name}/settings"

    def page(self, more: Mapping[str, Any], status: int = 200) -> HttpResponse:
        is_admin = self.may(Action.ORG_MANAGE)
        context = {
            "organisation": self.organisation,
            "home": self.home,
            "is_admin": is_admin,
            "tabs": tabs_of(self.organisation, self.tab, is_admin=is_admin),
            **more,
        }
        return render(self.request, self.template, context, status=status)
