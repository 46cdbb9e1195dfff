"""HTML: the card of a repo, a new repo, likes."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.cards.markdown import Heading
from hub.cards.snippets import Subject, snippets, uploads
from hub.errors import RevisionNotFound
from hub.http import links
from hub.http.links import TextLinks
from hub.http.repo_views import OfRepo
from hub.models import RepoCard
from hub.names import ROOT, RepoKind
from hub.portal.access import gate_for
from hub.portal.card_facts import Known, NamedRepo, facts_of, named_in
from hub.portal.forms import NewRepoForm
from hub.portal.repo_page import RepoPage
from hub.queries import trees
from hub.queries.blobs import storage_of
from hub.queries.collections import collections_with
from hub.queries.history import CommitRow
from hub.queries.readmes import Readme, readme
from hub.queries.repo_page import card_of, visible_names
from hub.queries.trees import Found
from hub.services import likes, new_repos
from teams.http.forms import REFUSED
from teams.http.origin import base_url
from teams.http.views import PortalView
from teams.policies import Principal
from teams.queries import memberships_of
from teams.roles import Action, Role

README = "README.md"
MAX_COLLECTIONS = 5
FIRST_FILE = ".gitattributes"
"""Every repo begins with it; one that has nothing else holds nothing yet."""


class CardPage(RepoPage):
    """GET /{name}: what the repo is, how to use it, how heavy it is."""

    authz = {"get": Action.REPO_SEE}
    tab = "card"
    template = "hub/repo_card.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        card = card_of(self.repo)
        commit = self._head()
        files = trees.list_folder(self.repo.pk, commit, ROOT) if commit else []
        known = self._known(card)
        subject = self._subject(card, files, known)
        shown = self._card(files)
        is_empty = all(found.name == FIRST_FILE for found in files)
        return self.page(
            {
                "card": card,
                "card_html": shown.html if shown else "",
                "headings": _contents(shown),
                "metadata": facts_of(self.repo.repo_kind, card.metadata, known),
                "safetensors": card.safetensors,
                "snippets": [] if is_empty else snippets(subject),
                "uploads": uploads(subject) if is_empty and self.can_write else [],
                "used_storage": storage_of([self.repo.pk]).get(self.repo.pk, 0),
                "downloads": self.repo.downloads,
                "commit_url": links.commit_url(self.repo.url, commit.oid) if commit else "",
                "collections": collections_with(self.repo, self.principal, MAX_COLLECTIONS),
                "card_command": self._card_command() if self.can_write else "",
                "gate": gate_for(self.repo, self.principal),
            }
        )

    def _head(self) -> CommitRow | None:
        try:
            return self.resolve()
        except RevisionNotFound:
            return None

    def _subject(self, card: RepoCard, files: list[Found], known: Known) -> Subject:
        named = [named for named in named_in(card.metadata) if named in known]
        bases = [named.name for named in named if named.kind is RepoKind.MODEL]
        return Subject(
            self.repo.repo_kind,
            self.repo.full_name,
            base_url(self.request),
            library=card.library_name,
            pipeline_tag=card.pipeline_tag,
            filenames=[found.name for found in files],
            base_model=bases[0] if bases else "",
            revision=self.repo.default_branch,
            needs_token=self.repo.private or bool(self.repo.gate),
        )

    def _card(self, files: list[Found]) -> Readme | None:
        found = next((file for file in files if file.name == README and not file.is_folder), None)
        if found is None:
            return None
        addresses = TextLinks(self.repo.url, self.repo.default_branch)
        shown = readme(self.repo.pk, found.oid, addresses)
        return shown if shown.html.strip() else None

    def _known(self, card: RepoCard) -> Known:
        known = visible_names(named_in(card.metadata), self.principal)
        return {NamedRepo(kind, name) for kind, name in known}

    def _card_command(self) -> str:
        kind = self.repo.repo_kind
        flag = "" if kind is RepoKind.MODEL else f" --repo-type {kind}"
        return f"hf upload {self.repo.full_name} README.md README.md{flag}"


def _contents(shown: Readme | None) -> Sequence[Heading]:
    """A table of contents; one line would be none."""
    return shown.headings if shown and len(shown.headings) > 1 else ()


class LikeRepo(OfRepo, PortalView):
    """POST /{name}/like."""

    authz = {"post": Action.REPO_LIKE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        verb = likes.unlike if request.POST.get("liked") == "no" else likes.like
        verb(repo=self.repo, by=self.principal)
        return redirect(self.repo.url)


class NewRepo(PortalView):
    """GET, POST /new."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = {name: request.GET[name] for name in ("owner", "kind") if name in request.GET}
        return self._page(request, NewRepoForm(owners=owners_for(self.principal), initial=wanted))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewRepoForm(request.POST, owners=owners_for(self.principal))
        if form.is_valid():
            with form.showing_refusals("name"):
                repo = new_repos.create_with_licence(
                    kind=RepoKind(form.cleaned_data["kind"]),
                    name=form.full_name,
                    visibility=form.cleaned_data["visibility"],
                    licence=form.cleaned_data["licence"],
                    by=self.principal,
                )
                messages.success(request, f"{repo.full_name} is there. Now bring its files.")
                return redirect(repo.url)
        return self._page(request, form, status=REFUSED)

    def _page(self, request: HttpRequest, form: NewRepoForm, status: int = 200) -> HttpResponse:
        return render(request, "hub/new.html", {"form": form}, status=status)


def owners_for(principal: Principal) -> list[str]:
    """The namespaces in which ``principal`` may create repos, their own first."""
    if principal.user is None:
        return []
    memberships = memberships_of(principal.user)
    organisations = [
        membership.organisation.name
        for membership in memberships
        if membership.role >= Role.CONTRIBUTOR
    ]
    return [principal.user.name, *organisations]
