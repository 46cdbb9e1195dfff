"""HTML: come by one's organisation's identity provider, and say which one that is."""

from typing import Any

from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from requests import RequestException

from teams.errors import Invalid, NotFound, Unavailable
from teams.http.forms import REFUSED, ServiceForm
from teams.http.origin import base_url
from teams.http.page import next_url
from teams.http.sso import NEXT
from teams.http.views import PortalView, Public
from teams.models import IdentityProvider, Organisation
from teams.policies import check_in
from teams.queries import organisation_named
from teams.queries.sso import provider_of
from teams.roles import Action, Role
from teams.services import sso_setup
from teams.services.sso_setup import ProviderWish

_NOBODY_YET = Public("Whoever signs in is nobody yet.")


@method_decorator(never_cache, name="dispatch")
class Start(PortalView):
    """GET /orgs/{name}/sso: on to the organisation's identity provider."""

    authz = {"get": _NOBODY_YET}

    def get(self, request: HttpRequest, name: str) -> HttpResponseBase:
        request.session[NEXT] = next_url(request, default=f"/{name}")
        return _asked(openid_connect.login, request, name)


@method_decorator(never_cache, name="dispatch")
class Callback(PortalView):
    """GET /orgs/{name}/sso/callback: back from it, with a code that we exchange."""

    authz = {"get": _NOBODY_YET}

    def get(self, request: HttpRequest, provider_id: str) -> HttpResponseBase:
        return _asked(openid_connect.callback, request, provider_id)


def _asked(view: Any, request: HttpRequest, name: str) -> HttpResponseBase:
    """Let allauth speak with the provider.

    Raises:
        NotFound: the organisation has none.
        Unavailable: it does not answer, or not as one.
    """
    provider = provider_of(name)
    if provider is None or not provider.is_enabled:
        raise NotFound("Nobody signs in by this organisation.")
    try:
        response: HttpResponseBase = view(request, provider.organisation.name)
    except Http404:
        raise NotFound("Nobody signs in by this organisation.") from None
    except PermissionDenied:
        raise Invalid("This sign-in began elsewhere. Begin it here once more.") from None
    except (RequestException, KeyError, ValueError):
        raise Unavailable("The identity provider does not answer. Try again later.") from None
    return response


class ProviderForm(ServiceForm):
    """What an admin says of the organisation's identity provider."""

    issuer = forms.CharField(
        label="Address of the provider (issuer)",
        max_length=255,
        help_text="Below it lies /.well-known/openid-configuration.",
    )
    client_id = forms.CharField(label="Client id", max_length=255)
    secret = forms.CharField(
        label="Client secret",
        max_length=500,
        required=False,
        strip=False,
        help_text="Left empty, it stays what it is. It is kept encrypted and never shown.",
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    groups_claim = forms.CharField(
        label="Claim that names groups", max_length=100, initial="groups"
    )
    roles = forms.CharField(
        label="Roles by group",
        required=False,
        max_length=10_000,
        help_text="One a line, such as engineers = write. Of several the strongest counts.",
        widget=forms.Textarea({"rows": 4}),
    )
    teams = forms.CharField(
        label="Teams by group",
        required=False,
        max_length=10_000,
        help_text="One a line, such as engineers = Research.",
        widget=forms.Textarea({"rows": 3}),
    )
    default_role = forms.ChoiceField(
        label="Role of everybody else",
        required=False,
        choices=[("", "none: they are not let in"), *((role.label, role.label) for role in Role)],
    )
    session_hours = forms.IntegerField(
        label="Hours until they have to sign in again",
        initial=168,
        min_value=1,
        max_value=sso_setup.MAX_HOURS,
    )
    is_enabled = forms.BooleanField(label="Members may sign in by it", required=False, initial=True)
    is_enforced = forms.BooleanField(
        label="Members must sign in by it",
        required=False,
        help_text="Also their tokens stop here until they do. Owners are let in without it.",
    )

    def wish(self) -> ProviderWish:
        """Answer what was filled in.

        Raises:
            Invalid: a line names no group, or nothing for it.
        """
        values = self.cleaned_data
        label = values["default_role"]
        return ProviderWish(
            issuer=values["issuer"],
            client_id=values["client_id"],
            secret=values["secret"],
            is_enabled=values["is_enabled"],
            is_enforced=values["is_enforced"],
            groups_claim=values["groups_claim"],
            roles=_pairs(values["roles"]),
            teams=_pairs(values["teams"]),
            default_role=Role[label.upper()] if label else None,
            session_hours=values["session_hours"],
        )


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        group, sign, value = line.rpartition("=")
        if not (sign and group.strip() and value.strip()):
            raise Invalid(f"{line!r} should look like: group = value")
        pairs[group.strip()] = value.strip()
    return pairs


@method_decorator(never_cache, name="dispatch")
class Settings(PortalView):
    """GET, POST /orgs/{name}/settings/sso."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        organisation = self._organisation(name)
        return self._page(request, organisation, ProviderForm(initial=_initial(organisation)))

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        organisation = self._organisation(name)
        if "remove" in request.POST:
            sso_setup.remove(organisation=organisation, by=self.principal)
            messages.success(request, "The identity provider is removed.")
            return redirect(request.path)
        form = ProviderForm(request.POST)
        if form.is_valid():
            with form.showing_refusals():
                sso_setup.configure(organisation=organisation, wish=form.wish(), by=self.principal)
                messages.success(request, "Single sign-on is set up.")
                return redirect(request.path)
        return self._page(request, organisation, form, status=REFUSED)

    def _organisation(self, name: str) -> Organisation:
        organisation = organisation_named(name)
        check_in(self.principal, Action.ORG_MANAGE, organisation)
        return organisation

    def _page(
        self,
        request: HttpRequest,
        organisation: Organisation,
        form: ProviderForm,
        status: int = 200,
    ) -> HttpResponse:
        base = f"{base_url(request)}/orgs/{organisation.name}/sso"
        context = {
            "organisation": organisation,
            "form": form,
            "is_set_up": provider_of(organisation.name) is not None,
            "sign_in_url": base,
            "callback_url": f"{base}/callback",
        }
        return render(request, "teams/sso_settings.html", context, status=status)


def _initial(organisation: Organisation) -> dict[str, Any]:
    provider: IdentityProvider | None = provider_of(organisation.name)
    if provider is None:
        return {}
    names = ("issuer", "client_id", "groups_claim", "session_hours", "is_enabled", "is_enforced")
    role = provider.default_role
    return {name: getattr(provider, name) for name in names} | {
        "roles": _lines(provider.roles),
        "teams": _lines(provider.teams),
        "default_role": "" if role is None else Role(role).label,
    }


def _lines(pairs: dict[str, str]) -> str:
    return "\n".join(f"{group} = {value}" for group, value in pairs.items())
