"""HTML: the rules on a repo's branches and tags, and the promotions of its tags."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.http import links
from hub.models import Promotion, RefRule
from hub.names import RevisionName
from hub.policies import can
from hub.portal.protection_forms import PromotionForm, RuleForm
from hub.portal.repo_page import RepoPage
from hub.portal.shown import SHORT
from hub.queries import history
from hub.queries.protection import promotion_of, promotions_of, rules_of
from hub.services import promotions, protection
from teams.http.forms import REFUSED
from teams.models import User
from teams.names import number_in
from teams.roles import Action, Role

A_PAGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """A rule in words."""

    id: int
    kind: str
    pattern: str
    terms: list[str]

    @classmethod
    def of(cls, rule: RefRule) -> "ShownRule":
        return cls(id=rule.pk, kind=rule.kind, pattern=rule.pattern, terms=_terms(rule))


def _terms(rule: RefRule) -> list[str]:
    movers = sorted(user.name for user in rule.movers.all())
    is_branch = rule.kind == RefRule.Kind.BRANCH
    who = "admins" if rule.least_role == Role.ADMIN else "whoever may write"
    grows = "keeps its history" if is_branch else "stays where it was put"
    approvals = f"{rule.needed_approvals} approval{'s' if rule.needed_approvals > 1 else ''}"
    return [
        f"moved by {', '.join([who, *movers])}",
        *([grows] if rule.keeps_history else []),
        *(["is not deleted"] if rule.forbids_deletion else []),
        *(["changes by pull requests alone"] if rule.needs_pull_request else []),
        *([f"needs {approvals}"] if rule.needed_approvals else []),
        *(f"needs the check {context}" for context in rule.needed_checks),
    ]


class Rules(RepoPage):
    """GET, POST /{name}/rules: how branches and tags are protected."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_PROTECT}
    tab = "settings"
    template = "hub/rules.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(RuleForm())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if "delete" in request.POST:
            number = number_in(request.POST["delete"], "delete")
            protection.delete_rule(repo=self.repo, rule_id=number, by=self.principal)
            messages.success(request, "The rule is gone.")
            return redirect(f"{self.repo.url}/rules")
        form = RuleForm(request.POST)
        if form.is_valid():
            with form.showing_refusals():
                rule = protection.set_rule(repo=self.repo, wish=form.wish, by=self.principal)
                messages.success(request, f"{rule.pattern} is protected.")
                return redirect(f"{self.repo.url}/rules")
        return self._page(form, status=REFUSED)

    def _page(self, form: RuleForm, status: int = 200) -> HttpResponse:
        may_protect = can(self.principal, Action.REPO_PROTECT, self.repo)
        context = {
            "rules": [ShownRule.of(rule) for rule in rules_of(self.repo)],
            "form": form if may_protect else None,
        }
        return self.page(context, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPromotion:
    """A promotion, and what its reader may do about it."""

    id: int
    tag: str
    old: str
    old_url: str
    new: str
    new_url: str
    note: str
    status: str
    asked_by: str
    asked_at: datetime
    approved_by: list[str]
    decided_by: str
    decided_at: datetime | None
    may_approve: bool
    may_refuse: bool


class Promotions(RepoPage):
    """GET, POST /{name}/promotions: ask for one, approve or refuse one."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_WRITE}
    tab = "promotions"
    template = "hub/promotions.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(PromotionForm(initial={"revision": self.repo.default_branch}))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        for verb, service in (("approve", promotions.approve), ("refuse", promotions.refuse)):
            if verb in request.POST:
                found = promotion_of(self.repo, number_in(request.POST[verb], verb))
                decided = service(promotion=found, by=self.principal)
                messages.success(request, f"{decided.tag}: {decided.status}.")
                return redirect(f"{self.repo.url}/promotions")
        return self._ask(PromotionForm(request.POST))

    def _ask(self, form: PromotionForm) -> HttpResponse:
        if form.is_valid():
            with form.showing_refusals():
                sent = form.cleaned_data
                made = promotions.ask(
                    repo=self.repo,
                    tag=RevisionName.parse(sent["tag"]),
                    target=history.resolve(self.repo, RevisionName.parse(sent["revision"])),
                    note=sent["note"],
                    by=self.principal,
                )
                messages.success(self.request, f"{made.tag}: {made.status}.")
                return redirect(f"{self.repo.url}/promotions")
        return self._page(form, status=REFUSED)

    def _page(self, form: PromotionForm, status: int = 200) -> HttpResponse:
        text = self.request.GET.get("before", "")
        before = number_in(text, "before") if text else None
        found = promotions_of(self.repo, before=before, limit=A_PAGE + 1)
        shown = [self._shown(one) for one in found[:A_PAGE]]
        more = len(found) > A_PAGE
        context = {
            "promotions": shown,
            "next_url": f"{self.repo.url}/promotions?before={shown[-1].id}" if more else "",
            "form": form if self.can_write else None,
            "rules_url": f"{self.repo.url}/rules",
        }
        return self.page(context, status=status)

    def _shown(self, promotion: Promotion) -> ShownPromotion:
        viewer = self.principal.user
        is_open = promotion.status == Promotion.Status.OPEN and self.can_write
        approvers = sorted(user.name for user in promotion.approvers.all())
        is_own = viewer is not None and viewer.pk == promotion.asked_by_id
        old = bytes(promotion.old) if promotion.old is not None else None
        new = bytes(promotion.new)
        return ShownPromotion(
            id=promotion.pk,
            tag=promotion.tag,
            old=old.hex()[:SHORT] if old else "",
            old_url=links.commit_url(self.repo.url, old) if old else "",
            new=new.hex()[:SHORT],
            new_url=links.commit_url(self.repo.url, new),
            note=promotion.note,
            status=promotion.status,
            asked_by=_name(promotion.asked_by),
            asked_at=promotion.asked_at,
            approved_by=approvers,
            decided_by=_name(promotion.decided_by),
            decided_at=promotion.decided_at,
            may_approve=is_open and not is_own and _name(viewer) not in approvers,
            may_refuse=is_open,
        )


def _name(user: User | None) -> str:
    return user.name if user else ""
