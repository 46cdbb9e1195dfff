"""HTML: the commits of a revision or of one path, and what one commit changed."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.cards.snippets import Subject, uploads
from hub.errors import RevisionNotFound
from hub.http import links
from hub.models import Repo
from hub.portal.repo_page import RepoPage
from hub.portal.shown import SHORT, ShownCommit, ShownParent, ShownRefs, readable
from hub.queries import changes, history
from hub.queries.changes import Changes, FileDiff
from hub.queries.history import CommitRow
from hub.queries.protection import statuses_of
from hub.queries.repo_page import ref_names
from teams.http.origin import base_url
from teams.roles import Action

COMMITS_A_PAGE = 50


class Commits(RepoPage):
    """GET /{name}/commits/{revision}[/{path}]: newest first; ``after`` names where to go on."""

    authz = {"get": Action.REPO_READ}
    tab = "commits"
    template = "hub/commits.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        commit, path = self.resolve(), self.path()
        after = request.GET.get("after", "")
        found = self._log(_commit_named(self.repo, after) if after else commit, path.text)
        # The commit that the last page ended with is the first one again.
        skipped = found[1:] if after and found and found[0].oid.hex() == after else found
        shown = skipped[:COMMITS_A_PAGE]
        more = len(skipped) > COMMITS_A_PAGE
        here = links.commits_url(self.repo.url, self.revision, path.text)
        return self.page(
            {
                "commits": [ShownCommit.of(row, self.repo) for row in shown],
                "revision": self.revision,
                "refs": ShownRefs.of(ref_names(self.repo), self.repo, links.commits_url, path.text),
                "path": readable(path.text),
                "next_url": f"{here}?after={shown[-1].oid.hex()}" if more else "",
                "upload_command": self._upload_command(),
            }
        )

    def _log(self, start: CommitRow, path: str) -> list[CommitRow]:
        most = COMMITS_A_PAGE + 2
        if path:
            return history.path_log(self.repo.pk, start, path, most)
        return history.log(self.repo.pk, start, most)

    def _upload_command(self) -> str:
        subject = Subject(self.repo.repo_kind, self.repo.full_name, base_url(self.request))
        return uploads(subject)[0].code.splitlines()[-1] if self.can_write else ""


class OneCommit(RepoPage):
    """GET /{name}/commit/{oid}."""

    authz = {"get": Action.REPO_READ}
    tab = "commits"
    template = "hub/commit.html"

    def get(self, _request: HttpRequest, oid: str, **_: object) -> HttpResponse:
        self.commit = commit = _commit_named(self.repo, oid)
        found = self._changes(commit)
        shown = replace(
            ShownCommit.of(commit, self.repo),
            message=f"{commit.title}\n\n{commit.message}",
            files_url=links.tree_url(self.repo.url, commit.oid.hex()),
            parents=tuple(self._parent(parent) for parent in commit.parents),
        )
        return self.page(
            {
                "commit": shown,
                "changes": [self._shown(commit, file) for file in found.files],
                "changed_count": found.total,
                "hidden_count": found.total - len(found.files),
                "statuses": statuses_of(self.repo, commit.oid),
            }
        )

    def _changes(self, commit: CommitRow) -> Changes:
        parent = history.commit_by_oid(self.repo.pk, commit.parents[0]) if commit.parents else None
        return changes.between(self.repo, parent.tree if parent else None, commit.tree)

    def _parent(self, oid: bytes) -> ShownParent:
        return ShownParent(oid.hex()[:SHORT], links.commit_url(self.repo.url, oid))

    def _shown(self, commit: CommitRow, file: FileDiff) -> dict[str, Any]:
        gone = file.status == "deleted"
        return {
            "path": readable(file.path),
            "status": file.status,
            "old_size": file.old_size,
            "new_size": file.new_size,
            "url": "" if gone else links.blob_url(self.repo.url, commit.oid.hex(), file.path),
            "diff": file.hunks,
        }


def _commit_named(repo: Repo, text: str) -> CommitRow:
    """Find a commit by its full id; a page of one commit never moves.

    Raises:
        RevisionNotFound: the repo has no such commit.
    """
    is_oid = len(text) == OID_DIGITS and set(text) <= set("0123456789abcdef")
    found = history.commit_by_oid(repo.pk, bytes.fromhex(text)) if is_oid else None
    if found is None:
        raise RevisionNotFound(f"There is no commit {text[:OID_DIGITS]!r} in this repo.")
    return found


OID_DIGITS = 40
