"""HTML: sign in by password or by link, and sign out."""

from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from teams.errors import Refusal
from teams.http.address import address_of
from teams.http.forms import REFUSED
from teams.http.page import next_url
from teams.http.views import PortalView, Public
from teams.portal.forms import SignInForm
from teams.services import accounts, passwords

CAME_BY_LINK = "came_by_link"
"""In the session of somebody who may choose a new password without knowing the old one."""


@method_decorator(never_cache, name="dispatch")
class SignIn(PortalView):
    """GET, POST /login."""

    authz = {
        "get": Public("Whoever signs in is nobody yet."),
        "post": Public("Whoever signs in is nobody yet."),
    }

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignInForm(request.POST)
        if form.is_valid():
            with form.showing_refusals():
                user = passwords.user_by_password(
                    name=form.cleaned_data["username"],
                    password=form.cleaned_data["password"],
                    address=address_of(request),
                )
                # Also gives the session a new key, so that one planted before is worth nothing.
                login(request, user)
                return redirect(next_url(request))
        return self._page(request, form, status=REFUSED)

    def _page(self, request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "next": next_url(request, default="")}
        return render(request, "teams/sign_in.html", context, status=status)


@method_decorator(never_cache, name="dispatch")
class SignInByLink(PortalView):
    """GET, POST /login/link/{name}/{token}.

    Programs that preview links fetch them; only the button spends the link.
    """

    authz = {
        "get": Public("The link itself is the credential."),
        "post": Public("The link itself is the credential."),
    }

    def refuse(self, refusal: Refusal) -> HttpResponse:
        """A spent link still says where to go on."""
        messages.error(self.request, refusal.message)
        return redirect("/login")

    def get(self, request: HttpRequest, name: str, token: str) -> HttpResponse:
        user = accounts.user_by_link(name=name, token=token)
        return render(request, "teams/sign_in_link.html", {"owner": user})

    def post(self, request: HttpRequest, name: str, token: str) -> HttpResponse:
        user = accounts.spend_link(name=name, token=token)
        login(request, user)
        request.session[CAME_BY_LINK] = True
        return redirect("/" if user.has_usable_password() else "/settings/password")


class SignOut(PortalView):
    """POST /logout."""

    authz = {"post": Public("Signing out twice does no harm.")}

    def post(self, request: HttpRequest) -> HttpResponse:
        logout(request)
        return redirect("/")
