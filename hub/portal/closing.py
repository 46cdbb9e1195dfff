"""HTML: close an organisation or one's account, with the name typed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.services import closing
from teams.errors import Unauthenticated
from teams.http.forms import REFUSED, ServiceForm
from teams.http.views import PortalView
from teams.portal.of_organisation import OfOrganisation
from teams.roles import Action


class CloseForm(ServiceForm):
    """The name, typed: nobody closes the wrong thing by a slip."""

    confirmation = forms.CharField(
        label="Its name",
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, name: str) -> None:
        super().__init__(*args)
        self.name = name

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip() != self.name:
            raise forms.ValidationError(f"This is not {self.name}. Nothing was closed.")
        return typed


class CloseOrganisation(OfOrganisation):
    """GET, POST /orgs/{name}/settings/close."""

    authz = {"get": Action.ORG_OWN, "post": Action.ORG_OWN}
    tab = "profile"
    template = "hub/close_organisation.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self.page({"form": CloseForm(name=self.organisation.name)})

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        name = self.organisation.name
        form = CloseForm(request.POST, name=name)
        if form.is_valid():
            with form.showing_refusals():
                closing.close_organisation(organisation=self.organisation, by=self.principal)
                messages.success(request, f"{name} is closed.")
                return redirect("/settings/organizations")
        return self.page({"form": form}, REFUSED)


class CloseAccount(PortalView):
    """GET, POST /settings/account/close."""

    authz = {"get": Action.SIGN_IN, "post": Action.ACCOUNT_MANAGE}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, CloseForm(name=self._name))

    def post(self, request: HttpRequest) -> HttpResponse:
        form, user = CloseForm(request.POST, name=self._name), self.principal.user
        if form.is_valid() and user is not None:
            with form.showing_refusals():
                closing.close_account(user=user, by=user)
                logout(request)
                return redirect("/")
        return self._page(request, form, status=REFUSED)

    @property
    def _name(self) -> str:
        if self.principal.user is None:
            raise Unauthenticated
        return self.principal.user.name

    def _page(self, request: HttpRequest, form: CloseForm, status: int = 200) -> HttpResponse:
        return render(request, "hub/close_account.html", {"form": form}, status=status)
