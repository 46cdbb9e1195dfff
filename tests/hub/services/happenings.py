"""Everything that can happen to a repo and is told to webhooks, done once, by those who may."""

from hub.models import Discussion, DiscussionEvent, Repo
from hub.names import EntryPath, RepoName, RevisionName
from hub.queries import history
from hub.services import (
    approvals,
    comments,
    commits,
    discussions,
    promotions,
    pull_requests,
    refs,
    repos,
    statuses,
)
from hub.services.commits import Message, PutFile
from hub.services.repos import RepoSettings
from hub.services.statuses import Report
from tests.cast import Cast, signed_in

MAIN = RevisionName("main")
SCOPES = {
    "repo.create",
    "repo.delete",
    "repo.move",
    "repo.content.update",
    "repo.config.update",
    "repo.status.update",
    "repo.promotion.create",
    "repo.promotion.update",
    "discussion.create",
    "discussion.update",
    "discussion.comment.create",
    "discussion.comment.update",
    "discussion.approval.create",
}


def land(cast: Cast, repo: Repo, branch: str = "main", content: bytes = b"x") -> str:
    return commits.commit(
        repo=repo,
        branch=RevisionName(branch),
        operations=[PutFile(EntryPath.parse("config.json"), content)],
        message=Message("A change"),
        by=signed_in(cast.ada),
    ).hex()


def everything(cast: Cast, name: str = "acme/tiny", *, text: str = "Why 100 % «weights»?") -> None:
    """Let it happen to a new repo of that name, which is gone afterwards."""
    repo, ada = cast.repo(name), signed_in(cast.ada)
    land(cast, repo)
    head = history.resolve(repo, MAIN)
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=head, message="", by=cast.ada)
    statuses.report(repo=repo, commit=head, outcome=Report(context="ci", state="success"), by=ada)
    promotions.ask(repo=repo, tag=RevisionName("live"), target=head, note="Now", by=ada)
    _talk(cast, repo, text)
    _review(cast, repo)
    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=ada)
    repos.move(repo=repo, to=RepoName.parse(f"{name}-2"), by=ada)
    repos.delete(repo=repo, by=ada)


def _talk(cast: Cast, repo: Repo, text: str) -> None:
    ada = signed_in(cast.ada)
    made = discussions.open_discussion(repo=repo, title="A question", text=text, by=ada)
    comments.edit(comment=_said(made), text=f"{text[:-1]}!", by=ada)
    comments.hide(comment=_said(made), by=ada)
    discussions.rename(discussion=made, title="An answer", by=ada)
    comments.comment(discussion=made, text="Because.", by=ada)
    discussions.change_status(discussion=made, status="closed", by=ada)


def _said(discussion: Discussion) -> DiscussionEvent:
    return DiscussionEvent.objects.filter(discussion=discussion, kind="comment").earliest("pk")


def _review(cast: Cast, repo: Repo) -> None:
    ada = signed_in(cast.ada)
    made = pull_requests.open_pull_request(repo=repo, title="Better", text="Look", by=ada)
    land(cast, repo, made.ref, b"y")
    discussions.change_status(discussion=made, status="open", by=ada)
    approvals.approve(discussion=Discussion.objects.get(pk=made.pk), by=signed_in(cast.ben))
    pull_requests.merge_pull_request(discussion=Discussion.objects.get(pk=made.pk), by=ada)
