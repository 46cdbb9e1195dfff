"""HTML: one's organisations, a new one, its profile and defaults; one's own profile."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from teams.errors import Unauthenticated
from teams.http.forms import REFUSED
from teams.http.views import PortalView
from teams.portal.of_organisation import OfOrganisation
from teams.portal.organisation_forms import (
    NewOrganisationForm,
    OrganisationForm,
    ProfileForm,
    role_of,
)
from teams.portal.settings import OfViewer
from teams.queries import memberships_of, organisation_named
from teams.roles import Action, Role
from teams.services import members, organisations, profiles
from teams.services.organisations import OrganisationSettings


class YourOrganisations(OfViewer):
    """GET, POST /settings/organizations: where one is a member; leaving is the one thing to do."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"memberships": memberships_of(self.user)}
        return render(request, "teams/your_organisations.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        organisation = organisation_named(request.POST.get("leave", ""))
        members.leave(organisation=organisation, by=self.principal)
        messages.success(request, f"You are no member of {organisation.name} any more.")
        return redirect("/settings/organizations")


class NewOrganisation(PortalView):
    """GET, POST /orgs/new."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, NewOrganisationForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = self.principal.user, NewOrganisationForm(request.POST)
        if user is None:
            raise Unauthenticated
        if form.is_valid():
            with form.showing_refusals("name"):
                made = organisations.create(name=form.cleaned_data["name"], owner=user, by=user)
                messages.success(request, f"{made.name} is there. Now bring its people.")
                return redirect(f"/orgs/{made.name}/settings/members")
        return self._page(request, form, status=REFUSED)

    def _page(
        self, request: HttpRequest, form: NewOrganisationForm, status: int = 200
    ) -> HttpResponse:
        return render(request, "teams/new_organisation.html", {"form": form}, status=status)


class OrganisationProfile(OfOrganisation):
    """GET, POST /orgs/{name}/settings/profile."""

    authz = {"get": Action.ORG_MANAGE, "post": Action.ORG_MANAGE}
    tab = "profile"
    template = "teams/organisation_profile.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(OrganisationForm(initial=self._present()))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        form = OrganisationForm(request.POST)
        if form.is_valid():
            values = form.cleaned_data
            roles = {name: role_of(values[name]) for name in ("default_role", "creators")}
            with form.showing_refusals():
                settings = OrganisationSettings(**{**values, **roles})
                organisations.change_settings(
                    organisation=self.organisation, settings=settings, by=self.principal
                )
                messages.success(request, "The profile is changed.")
                return redirect(f"{self.home}/profile")
            self.organisation.refresh_from_db()
        return self._page(form, status=REFUSED)

    def _present(self) -> dict[str, Any]:
        one = self.organisation
        return {
            "fullname": one.fullname,
            "about": one.about,
            "website": one.website,
            "default_role": Role(one.default_role).label,
            "default_visibility": one.default_visibility,
            "creators": Role(one.creators).label,
        }

    def _page(self, form: OrganisationForm, status: int = 200) -> HttpResponse:
        return self.page({"form": form, "owns": self.may(Action.ORG_OWN)}, status)


class YourProfile(OfViewer):
    """GET, POST /settings/profile."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        names = ("fullname", "email", "website", "about")
        form = ProfileForm(initial={name: getattr(self.user, name) for name in names})
        return self._page(request, form)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ProfileForm(request.POST)
        if form.is_valid():
            with form.showing_refusals():
                profiles.change_profile(user=self.user, **form.cleaned_data)
                messages.success(request, "Your profile is changed.")
                return redirect("/settings/profile")
        return self._page(request, form, status=REFUSED)

    def _page(self, request: HttpRequest, form: ProfileForm, status: int = 200) -> HttpResponse:
        return render(request, "teams/your_profile.html", {"form": form}, status=status)
