"""The frame of every page of a repo: its header, its tabs, who may what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from hub.errors import GatedRepo
from hub.http import links
from hub.http.repo_views import OfRepo
from hub.models import RepoCard
from hub.policies import can
from hub.portal.shown import ShownRepo
from hub.portal.tabs import tabs_of
from hub.queries.discussions import open_count
from hub.queries.repo_page import card_of, is_liked
from teams.errors import Refusal
from teams.http.views import PortalView
from teams.roles import Action


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab as the page shows it."""

    label: str
    url: str
    active: bool
    count: int | None = None


class RepoPage(OfRepo, PortalView):
    """A page below a repo's name. ``tab`` is the one that it belongs to."""

    tab = ""
    template = ""

    def page(self, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
        card = context.get("card") or card_of(self.repo)
        return render(self.request, self.template, {**self._frame(card), **context}, status=status)

    def refuse(self, refusal: Refusal) -> HttpResponse:
        """Who stands before a gate is shown to it: the card's page says how to get in."""
        if isinstance(refusal, GatedRepo) and self.request.method == "GET":
            kind, name = self.kwargs["kind"], self.kwargs["name"]
            return redirect(f"{links.repo_url(kind, str(name))}#gate")
        return super().refuse(refusal)

    @property
    def revision(self) -> str:
        """The revision as the URL has it: links on the page stay on the same branch."""
        text: str = self.kwargs.get("revision", self.repo.default_branch)
        return text

    @property
    def can_write(self) -> bool:
        return can(self.principal, Action.REPO_WRITE, self.repo)

    def _frame(self, card: RepoCard) -> dict[str, Any]:
        sha = self.commit.oid.hex() if self.commit else ""
        return {
            "repo": ShownRepo.of(self.repo, card, sha),
            "section": self.repo.repo_kind.plural,
            "tabs": self._tabs(card),
            "like_url": f"{self.repo.url}/like",
            "liked": is_liked(self.repo, self.principal.user),
        }

    def _tabs(self, card: RepoCard) -> list[Tab]:
        url, branch = self.repo.url, self.repo.default_branch
        tabs = [
            Tab("Card", url, self.tab == "card"),
            *(
                Tab(one.label, f"{url}/{one.path}", self.tab == one.key)
                for one in tabs_of(self.repo, card)
            ),
            Tab("Files", links.tree_url(url, branch), self.tab == "files"),
            Tab("Commits", links.commits_url(url, branch), self.tab == "commits"),
        ]
        if self.repo.is_guarded:
            tabs.append(Tab("Promotions", f"{url}/promotions", self.tab == "promotions"))
        if not self.repo.discussions_disabled:
            count = open_count(self.repo)
            is_active = self.tab == "community"
            tabs.append(Tab("Community", f"{url}/discussions", is_active, count or None))
        tabs.append(Tab("Security", f"{url}/security", self.tab == "security"))
        if can(self.principal, Action.REPO_MANAGE, self.repo):
            tabs.append(Tab("Settings", f"{url}/settings", self.tab == "settings"))
        return tabs
