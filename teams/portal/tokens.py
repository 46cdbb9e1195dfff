"""HTML: one's access tokens; and those of members that reach an organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from teams.errors import Invalid
from teams.http.forms import REFUSED
from teams.http.origin import base_url
from teams.http.views import PortalView
from teams.models import AccessToken
from teams.policies import check_in
from teams.portal.settings import OfViewer
from teams.portal.token_forms import FineTokenForm, PolicyForm, TokenForm
from teams.queries import live_token_of, live_tokens_of, memberships_of, organisation_named
from teams.queries.token_policies import policy_of, reviewed_tokens, token_to_review
from teams.queries.token_scopes import Scopes, directory, scopes_of
from teams.roles import Action
from teams.services import token_policies, tokens

PICKER = 60
"""Repos that the form offers; any other can be typed."""


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as pages list it."""

    name: str
    role: str
    origin: str
    last4: str
    created: datetime
    last_used: datetime | None
    expires: datetime | None
    scopes: Sequence[tuple[str, str]]
    """Of a fine-grained one: what, and what it is allowed there."""
    revoke_url: str

    @classmethod
    def of(cls, token: AccessToken, scopes: Mapping[int, Scopes]) -> "ShownToken":
        return cls(
            name=token.name,
            role="fine-grained" if token.pk in scopes else token.role,
            origin=AccessToken.Origin(token.origin).label if token.origin else "",
            last4=token.last4,
            created=token.created_at,
            last_used=token.last_used_at,
            expires=token.expires_at,
            scopes=in_words(scopes[token.pk]) if token.pk in scopes else (),
            revoke_url=f"/settings/tokens/{token.pk}/revoke",
        )


def in_words(scopes: Scopes) -> list[tuple[str, str]]:
    """What a token is for, and what it is allowed there."""
    found = [(one.name, ", ".join(one.permissions)) for one in scopes.entities]
    if scopes.everywhere:
        found.append(("everywhere", ", ".join(scopes.everywhere)))
    return found


def shown(found: Sequence[AccessToken]) -> list[ShownToken]:
    fine = [one for one in found if one.role == AccessToken.TokenRole.FINE_GRAINED]
    scopes = scopes_of(fine) if fine else {}
    return [ShownToken.of(token, scopes) for token in found]


class Tokens(OfViewer):
    """GET, POST /settings/tokens: the secret of a new token is on the answer, and nowhere else."""

    authz = {"get": Action.ACCOUNT_MANAGE, "post": Action.ACCOUNT_MANAGE}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, TokenForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if form.is_valid():
            with form.showing_refusals():
                _token, secret = tokens.issue_as(form.wish, user=self.user)
                return self._page(request, TokenForm(), secret=secret)
        return self._page(request, form, status=REFUSED)

    def _page(
        self, request: HttpRequest, form: TokenForm, *, secret: str = "", status: int = 200
    ) -> HttpResponse:
        context = {
            "tokens": shown(list(live_tokens_of(self.user))),
            "form": form,
            "secret": secret,
            "login_command": f"HF_ENDPOINT={base_url(request)} hf auth login",
        }
        return render(request, "teams/tokens.html", context, status=status)


class NewFineToken(OfViewer):
    """GET, POST /settings/tokens/fine-grained: what a token is allowed, and to what."""

    authz = {"get": Action.ACCOUNT_MANAGE, "post": Action.ACCOUNT_MANAGE}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, self._form(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request)
        if form.is_valid():
            with form.showing_refusals("named"):
                wish = form.wish(self.principal)
                _token, secret = tokens.issue_as(wish, user=self.user)
                return self._page(request, form, secret=secret)
        return self._page(request, form, status=REFUSED)

    def _form(self, request: HttpRequest) -> FineTokenForm:
        return FineTokenForm(
            request.POST if request.method == "POST" else None,
            user=self.user,
            memberships=list(memberships_of(self.user)),
            repos=directory().of(self.principal, PICKER),
        )

    def _page(
        self, request: HttpRequest, form: FineTokenForm, *, secret: str = "", status: int = 200
    ) -> HttpResponse:
        context = {"form": form, "secret": secret}
        return render(request, "teams/fine_token.html", context, status=status)


class RevokeToken(OfViewer):
    """POST /settings/tokens/{id}/revoke."""

    authz = {"post": Action.ACCOUNT_MANAGE}

    def post(self, request: HttpRequest, token_id: int) -> HttpResponse:
        token = live_token_of(self.user, token_id)
        tokens.revoke(token=token, by=self.user)
        messages.success(request, f"The token {token.name} is revoked.")
        return redirect("/settings/tokens")


class OrganisationTokens(PortalView):
    """GET, POST /orgs/{name}/settings/tokens: which tokens reach the organisation."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        organisation = organisation_named(name)
        check_in(self.principal, Action.ORG_MANAGE, organisation)
        takes = policy_of(organisation)
        found = reviewed_tokens(organisation)
        scopes = scopes_of([one.token for one in found])
        context = {
            "organisation": organisation,
            "form": PolicyForm(initial={"takes": takes}),
            "needs_approval": takes == "approved",
            "tokens": [
                (one, in_words(scopes[one.token.pk]) if one.token.pk in scopes else [])
                for one in found
            ],
        }
        return render(request, "teams/organisation_tokens.html", context)

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        organisation = organisation_named(name)
        if "takes" in request.POST:
            token_policies.set_policy(
                organisation=organisation, takes=request.POST["takes"], by=self.principal
            )
            messages.success(request, "The rule on tokens is changed.")
        else:
            self._review(request, name)
        return redirect(f"/orgs/{organisation.name}/settings/tokens")

    def _review(self, request: HttpRequest, name: str) -> None:
        organisation = organisation_named(name)
        for verb, approved in (("approve", True), ("deny", False)):
            if verb in request.POST:
                token = token_to_review(organisation, request.POST[verb])
                token_policies.review(
                    organisation=organisation, token=token, approved=approved, by=self.principal
                )
                done = "approved" if approved else "denied"
                messages.success(request, f"The token {token.name} is {done}.")
                return
        raise Invalid("The form does not say what to do.")
