"""HTML: ask for access to a gated repo; see who asked, decide, and take the list along."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe

from hub.cards import markdown
from hub.cards.gate import GateTerms
from hub.http import links
from hub.http.links import TextLinks
from hub.http.repo_views import OfRepo
from hub.models import AccessRequest, Repo
from hub.policies import can
from hub.portal.access_forms import AskForm, GrantForm
from hub.portal.repo_page import RepoPage, Tab
from hub.queries.access import (
    all_requests_to,
    counts_of,
    own_request,
    own_requests,
    request_to,
    requests_to,
    terms_of,
)
from hub.services import access
from teams.errors import Invalid
from teams.http.forms import REFUSED
from teams.http.views import PortalView
from teams.policies import Principal
from teams.queries import user_named
from teams.roles import Action

A_PAGE = 50
MOST_OWN = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class ShownGate:
    """What somebody sees who stands before a gate."""

    status: str
    """Of their request, empty without one."""
    reason: str
    heading: str
    prompt: SafeString
    description: str
    button: str
    form: AskForm | None
    """None for those who asked already, and for who is nobody yet."""
    is_auto: bool


def gate_for(repo: Repo, principal: Principal, form: AskForm | None = None) -> ShownGate | None:
    """What ``principal`` has to be shown before they may read ``repo``; None if they may."""
    if not repo.gate or can(principal, Action.REPO_READ, repo):
        return None
    terms, asked = terms_of(repo), own_request(repo, principal.user)
    is_asking = asked is None and principal.user is not None
    return ShownGate(
        status=asked.status if asked else "",
        reason=asked.reason if asked else "",
        heading=terms.heading,
        prompt=_prompt(repo, terms),
        description=terms.description,
        button=terms.button,
        form=(form or AskForm(terms=terms)) if is_asking else None,
        is_auto=repo.gate == Repo.Gate.AUTO,
    )


def _prompt(repo: Repo, terms: GateTerms) -> SafeString:
    addresses = TextLinks(repo.url, repo.default_branch)
    rendered = markdown.render(terms.prompt, link=addresses.link, image=addresses.image)
    # What the cleaner leaves is nothing that a browser would run.
    return mark_safe(rendered.html)  # noqa: S308


class AskAccess(RepoPage):
    """POST /{name}/ask-access: the form that stands on the card's page."""

    authz = {"post": Action.REPO_ASK}
    tab = "card"
    template = "hub/gate.html"

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if "withdraw" in request.POST:
            access.withdraw(repo=self.repo, by=self.principal)
            messages.success(request, "Your request is taken back.")
            return redirect(self.repo.url)
        form = AskForm(request.POST, terms=terms_of(self.repo))
        if form.is_valid():
            with form.showing_refusals():
                made = access.ask(repo=self.repo, by=self.principal, sent=form.answers)
                is_in = made.status == AccessRequest.Status.ACCEPTED
                told = "You have access now." if is_in else "Your request awaits a review."
                messages.success(request, told)
                return redirect(self.repo.url)
        return self.page({"gate": gate_for(self.repo, self.principal, form)}, status=REFUSED)


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request as its owners read it."""

    id: str
    user: str
    email: str
    fields: list[tuple[str, str]]
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str

    @classmethod
    def of(cls, one: AccessRequest) -> "ShownRequest":
        return cls(
            id=str(one.pk),
            user=one.user.name,
            email=one.user.email if one.was_asked else "",
            fields=[(label, _in_words(value)) for label, value in one.fields.items()],
            asked_at=one.asked_at,
            decided_by=one.decided_by.name if one.decided_by else "",
            decided_at=one.decided_at,
            reason=one.reason,
        )


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


class Review(RepoPage):
    """GET, POST /{name}/access-requests?status=: who asked, and what becomes of it."""

    authz = {"get": Action.ACCESS_SEE, "post": Action.ACCESS_DECIDE}
    tab = "settings"
    template = "hub/access_requests.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(GrantForm())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if "grant" in request.POST:
            return self._grant(GrantForm(request.POST))
        for verb, status in _VERBS.items():
            if verb in request.POST:
                return self._decide(request.POST[verb], status)
        raise Invalid("The form does not say what to do.")

    def _grant(self, form: GrantForm) -> HttpResponse:
        if form.is_valid():
            with form.showing_refusals("user"):
                user = user_named(form.cleaned_data["user"])
                access.grant(repo=self.repo, user=user, by=self.principal)
                messages.success(self.request, f"{user.name} has access now.")
                return redirect(f"{self._url}?status=accepted")
        return self._page(form, status=REFUSED)

    def _decide(self, user: str, status: str) -> HttpResponse:
        found = request_to(self.repo, user=user_named(user))
        found.repo = self.repo
        reason = self.request.POST.get("reason", "")
        access.decide(request=found, status=status, by=self.principal, reason=reason)
        messages.success(self.request, f"{found.user.name}: {found.status}.")
        return redirect(f"{self._url}?status={self._status}")

    @property
    def _url(self) -> str:
        return f"{self.repo.url}/access-requests"

    @property
    def _status(self) -> str:
        wanted = self.request.GET.get("status", "pending")
        return wanted if wanted in AccessRequest.Status.values else "pending"

    def _page(self, form: GrantForm, status: int = 200) -> HttpResponse:
        cursor = self.request.GET.get("cursor", "")
        found = requests_to(self.repo, self._status, cursor=cursor, limit=A_PAGE)
        counts = counts_of(self.repo)
        more = {"status": self._status, "cursor": found.next_cursor}
        context = {
            "requests": [ShownRequest.of(one) for one in found.requests],
            "status": self._status,
            "statuses": [
                Tab(name.capitalize(), f"{self._url}?status={name}", name == self._status, count)
                for name, count in counts.items()
            ],
            "next_url": links.with_query(self._url, more) if found.next_cursor else "",
            "form": form if can(self.principal, Action.ACCESS_DECIDE, self.repo) else None,
            "export_url": f"{self._url}.csv",
            "gate_open": not self.repo.gate,
        }
        return self.page(context, status=status)


_VERBS = {
    "accept": AccessRequest.Status.ACCEPTED.value,
    "reject": AccessRequest.Status.REJECTED.value,
    "cancel": AccessRequest.Status.PENDING.value,
}


class Export(OfRepo, PortalView):
    """GET /{name}/access-requests.csv: all requests as a table."""

    authz = {"get": Action.ACCESS_SEE}

    def get(self, _request: HttpRequest, **_: object) -> HttpResponseBase:
        labels = [field.label for field in terms_of(self.repo).fields]
        response = StreamingHttpResponse(
            _lines(self.repo, labels), content_type="text/csv; charset=utf-8"
        )
        name = f"{self.repo.name}-access-requests.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


def _lines(repo: Repo, labels: list[str]) -> Iterator[str]:
    yield _line(["user", "fullname", "email", "status", "asked_at", "decided_at", *labels])
    for one in all_requests_to(repo):
        yield _line(
            [
                one.user.name,
                one.user.fullname,
                one.user.email if one.was_asked else "",
                one.status,
                one.asked_at.isoformat(),
                one.decided_at.isoformat() if one.decided_at else "",
                *(_in_words(one.fields.get(label, "")) for label in labels),
            ]
        )


def _line(values: list[str]) -> str:
    """What a spreadsheet would take for a formula is kept from being one."""
    row = io.StringIO()
    csv.writer(row).writerow([f"'{one}" if one.startswith(_FORMULA) else one for one in values])
    return row.getvalue()


class OwnRequests(PortalView):
    """GET /settings/gated-repos: the gated repos that one asked for."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest) -> HttpResponse:
        found = own_requests(self.principal, MOST_OWN)
        return render(request, "hub/gated_repos.html", {"requests": found})
