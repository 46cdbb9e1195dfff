"""OfRepo: what views of one repo share, on the wire and in the portal."""

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from hub.errors import BadName, BadPath, EntryNotFound, RepoNotFound, RevisionNotFound
from hub.models import Repo
from hub.names import ROOT, EntryPath, RepoKind, RepoName, RevisionName
from hub.policies import can
from hub.queries import history
from hub.queries.history import CommitRow
from hub.queries.repos import repo_for, repo_now_called
from hub.services.auditing import note_read
from teams.http.views import DoorView
from teams.roles import Action


class OfRepo(DoorView):
    """Finds the repo that the URL names and asks the rule; sends callers of an old name on.

    The route gives ``kind`` and ``name``, and where it has them ``revision`` and ``path`` as text.
    """

    repo: Repo
    commit: CommitRow | None = None

    def check(self, action: Action) -> None:
        self.repo = repo_for(self.principal, action, self.kwargs["kind"], self.kwargs["name"])
        if action is Action.REPO_READ:
            note_read(self.repo, by=self.principal)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = super().dispatch(request, *args, **kwargs)
        if answer.status_code in {401, 404} and not hasattr(self, "repo"):
            return self._moved(kwargs["kind"], kwargs["name"]) or answer
        return answer

    def _moved(self, kind: RepoKind, name: RepoName) -> HttpResponse | None:
        """Redirect to the repo's present name, keeping method and query: a relative 307."""
        repo = repo_now_called(kind, name)
        if repo is None or not can(self.principal, Action.REPO_SEE, repo):
            return None
        old, new = quote(str(name)), quote(repo.full_name)
        query = self.request.META.get("QUERY_STRING", "")
        response = HttpResponse(status=307)
        response["Location"] = self.request.path.replace(f"/{old}", f"/{new}", 1) + (
            f"?{query}" if query else ""
        )
        return response

    def resolve(self) -> CommitRow:
        """Answer the commit that the URL's revision comes to (the default branch without one).

        Raises:
            RevisionNotFound: nothing is called so.
        """
        text = self.kwargs.get("revision", self.repo.default_branch)
        self.commit = history.resolve(self.repo, revision_named(text))
        return self.commit

    def path(self) -> EntryPath:
        """Answer the path that the URL names; no path is the root.

        Raises:
            EntryNotFound: no entry can be called so.
        """
        text = self.kwargs.get("path", "").strip("/")
        if not text:
            return ROOT
        try:
            return EntryPath.parse(text)
        except BadPath as problem:
            raise EntryNotFound(problem.message) from None


def revision_named(text: str) -> RevisionName:
    """Read a revision of a URL.

    Raises:
        RevisionNotFound: nothing can be called so.
    """
    try:
        return RevisionName.parse(text)
    except BadName as problem:
        raise RevisionNotFound(problem.message) from None


def repo_named(text: str) -> RepoName:
    """Read the name of an existing repo out of a body.

    Raises:
        RepoNotFound: no repo can be called so.
    """
    try:
        return RepoName.parse(text)
    except BadName:
        raise RepoNotFound from None
