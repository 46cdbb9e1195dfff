"""HTML: which jobs of CI systems may publish to a repo."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.models import TrustedPublisher
from hub.portal.publisher_forms import PublisherForm
from hub.portal.repo_page import RepoPage
from hub.queries.publishers import publishers_of
from hub.services import publishers
from teams.http.forms import REFUSED
from teams.http.origin import base_url
from teams.names import number_in
from teams.roles import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPublisher:
    """A publisher in words."""

    id: int
    issuer: str
    claims: list[tuple[str, str]]
    acts_as: str
    last_used_at: datetime | None

    @classmethod
    def of(cls, one: TrustedPublisher) -> "ShownPublisher":
        return cls(
            id=one.pk,
            issuer=one.issuer,
            claims=sorted(one.claims.items()),
            acts_as=one.created_by.name,
            last_used_at=one.last_used_at,
        )


class Publishers(RepoPage):
    """GET, POST /{name}/publishers."""

    authz = {"get": Action.REPO_MANAGE, "post": Action.REPO_MANAGE}
    tab = "settings"
    template = "hub/publishers.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(PublisherForm())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if "delete" in request.POST:
            number = number_in(request.POST["delete"], "delete")
            publishers.distrust(repo=self.repo, publisher_id=number, by=self.principal)
            messages.success(request, "It is trusted no more; the tokens of its jobs have ended.")
            return redirect(f"{self.repo.url}/publishers")
        form = PublisherForm(request.POST)
        if form.is_valid():
            with form.showing_refusals():
                issuer, claims = form.issuer, form.claims
                publishers.trust(repo=self.repo, issuer=issuer, claims=claims, by=self.principal)
                messages.success(request, "Its jobs may publish now.")
                return redirect(f"{self.repo.url}/publishers")
        return self._page(form, status=REFUSED)

    def _page(self, form: PublisherForm, status: int = 200) -> HttpResponse:
        kind = self.repo.repo_kind
        context = {
            "publishers": [ShownPublisher.of(one) for one in publishers_of(self.repo)],
            "form": form,
            "resource": f"{kind.prefix}{self.repo.full_name}",
            "origin": base_url(self.request),
        }
        return self.page(context, status=status)
