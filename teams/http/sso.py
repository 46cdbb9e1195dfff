"""The seam to allauth, which speaks OpenID Connect: whom it asks, what we do with the answer."""

from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponseRedirect

from teams.errors import Forbidden, Refusal
from teams.http.page import viewer_of
from teams.models import IdentityProvider
from teams.queries.sso import provider_of
from teams.services import audit, sso
from teams.services.sso import Claims, SignInFirst
from teams.services.sso_setup import is_allowed, secret_of

NEXT = "sso_next"
"""In the session: where somebody wanted to go when they were sent to their provider."""
BACKEND = "django.contrib.auth.backends.ModelBackend"
_TIMEOUT_SECONDS = 10
_MOST_GROUPS = 1000
_LONGEST = 255


class SsoAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Providers come from our own table, and accounts from our own rules."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Answer the provider of the organisation of this name."""
        found = provider_of(provider) if provider else None
        return [_app(found)] if found is not None and found.is_enabled else []

    def get_requests_session(self) -> requests.Session:
        """Answer a session that reaches nobody whom the operator did not name."""
        return _GuardedSession()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Take over as soon as allauth knows who it is: it makes no accounts here."""
        name = sociallogin.provider.app.provider_id
        wanted = request.session.pop(NEXT, f"/{name}")
        raise ImmediateHttpResponse(_signed_in(request, name, sociallogin, wanted))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_told: Any) -> None:
        """Say so on our own page; what went wrong exactly is nobody's business but the log's."""
        messages.error(request, "Your identity provider did not let you in. Try again.")
        raise ImmediateHttpResponse(HttpResponseRedirect("/login"))


def _app(provider: IdentityProvider) -> SocialApp:
    return SocialApp(
        provider="openid_connect",
        provider_id=provider.organisation.name,
        name=provider.organisation.name,
        client_id=provider.client_id,
        secret=secret_of(provider),
        settings={"server_url": provider.issuer, "oauth_pkce_enabled": True},
    )


class _GuardedSession(requests.Session):
    """Asks allowed hosts alone, follows nobody elsewhere, and waits for no one for long."""

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        if not is_allowed(str(url)):
            raise requests.exceptions.InvalidURL("No identity provider of this hub is there.")
        kwargs |= {"timeout": _TIMEOUT_SECONDS, "allow_redirects": False}
        return super().request(method, url, *args, **kwargs)


def _signed_in(
    request: HttpRequest, name: str, sociallogin: SocialLogin, wanted: str
) -> HttpResponseRedirect:
    provider = provider_of(name)
    try:
        if provider is None:
            raise Forbidden("The organisation has no identity provider any more.")
        audit.came_by("oidc")
        claims = claims_in(provider, sociallogin.account.extra_data)
        user = sso.come_by(provider=provider, claims=claims, present=viewer_of(request))
    except SignInFirst as refusal:
        messages.info(request, refusal.message)
        return HttpResponseRedirect(f"/login?next=/orgs/{name}/sso")
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect("/login")
    if viewer_of(request) != user:
        login(request, user, backend=BACKEND)
    return HttpResponseRedirect(wanted)


def claims_in(provider: IdentityProvider, data: dict[str, Any]) -> Claims:
    """Read what the provider said; its two answers have to be about one and the same.

    Raises:
        Forbidden: they are not, or are another provider's.
    """
    token, info = data.get("id_token") or {}, data.get("userinfo") or {}
    if not token or (info and info.get("sub") != token.get("sub")):
        raise Forbidden("Your identity provider told us of two people at once.")
    if str(token.get("iss", "")).rstrip("/") != provider.issuer:
        raise Forbidden("Another identity provider answered than was asked.")
    subject = token.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST or "\0" in subject:
        # Cut or left out, it would be the same for several people.
        raise Forbidden("Your identity provider did not say who you are.")
    both = {**token, **info}
    groups = both.get(provider.groups_claim) or []
    groups = [groups] if isinstance(groups, str) else groups
    return Claims(
        subject=subject,
        name=_text(both, "name"),
        username=_text(both, "preferred_username"),
        email=_text(both, "email"),
        groups=tuple(str(group)[:_LONGEST] for group in groups[:_MOST_GROUPS])
        if isinstance(groups, list)
        else (),
    )


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return value.replace("\0", "")[:_LONGEST] if isinstance(value, str) else ""
