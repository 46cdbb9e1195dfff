"""Wire: discussions and pull requests, as ``HfApi`` calls them.

https://huggingface.co/docs/huggingface_hub/package_reference/community and ``hf_api``.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from hub.errors import DiscussionNotFound
from hub.http.dates import iso
from hub.http.repo_views import OfRepo
from hub.models import CommentVersion, Discussion, DiscussionEvent
from hub.policies import can
from hub.queries.discussions import (
    DiscussionFilter,
    DiscussionPage,
    Reacted,
    comment_of,
    discussion_of,
    events_of,
    page_of,
    reactions_to,
    versions_of,
)
from hub.queries.pull_requests import Comparison, compare
from hub.services import comments, discussions, pull_requests
from teams.errors import Invalid
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import flag
from teams.http.views import WireView
from teams.models import User
from teams.roles import Action
from teams.wire.identity import AVATAR

PAGE = 50
HIDDEN = "This comment has been hidden"
_MOST_PAGES = 10**6


class Discussions(OfRepo, WireView):
    """GET, POST /api/{kind}s/{name}/discussions."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_DISCUSS}

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        wanted = DiscussionFilter(
            type=request.GET.get("type") or "all",
            status=request.GET.get("status") or "all",
            author=request.GET.get("author", ""),
        )
        page = page_of(self.repo, wanted, start=_page_number(request) * PAGE, limit=PAGE)
        return JsonAnswer(_page_json(page))

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        title, text = body.text("title"), body.text("description", "")
        opens = (
            pull_requests.open_pull_request
            if body.boolean("pullRequest")
            else discussions.open_discussion
        )
        made = opens(repo=self.repo, title=title, text=text, by=self.principal)
        return JsonAnswer({"num": made.num, "url": made.url, "pullRequest": made.is_pull_request})


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("p") or "0"
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST_PAGES:
        raise Invalid(f"p must be the number of a page, not {text[:40]!r}.")
    return int(text)


def _page_json(page: DiscussionPage) -> dict[str, Any]:
    return {
        "discussions": [discussion_json(one) for one in page.discussions],
        "count": page.count,
        "start": page.start,
        "numClosedDiscussions": page.n_closed,
    }


def discussion_json(discussion: Discussion) -> dict[str, Any]:
    """A discussion as it stands in lists. Nobody stands for a deleted author: clients fill in."""
    repo = discussion.repo
    return {
        "num": discussion.num,
        "title": discussion.title,
        "status": discussion.status,
        "isPullRequest": discussion.is_pull_request,
        "createdAt": iso(discussion.created_at),
        "repo": {"name": repo.full_name, "type": repo.kind},
        "numComments": discussion.n_comments,
        "pinned": discussion.is_pinned,
        **_author(discussion.author),
    }


def _author(user: User | None) -> dict[str, Any]:
    if user is None:
        return {}
    fullname = user.fullname or user.name
    return {
        "author": {"name": user.name, "fullname": fullname, "type": "user", "avatarUrl": AVATAR}
    }


class OfDiscussion(OfRepo, WireView):
    """What views of one discussion share."""

    discussion: Discussion

    def check(self, action: Action) -> None:
        super().check(action)
        self.discussion = discussion_of(self.repo, _number(self.kwargs["num"]))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise DiscussionNotFound
    return int(text[:12])


class OneDiscussion(OfDiscussion):
    """GET /api/{kind}s/{name}/discussions/{num}: with all that happened in it."""

    authz = {"get": Action.REPO_SEE}

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        events = events_of(self.discussion)
        versions = versions_of(events)
        reacted = reactions_to(events)
        told = [
            event_json(event, versions.get(event.pk, ()), reacted.get(event.pk, {}))
            for event in events
        ]
        return JsonAnswer(
            discussion_json(self.discussion)
            | {"events": told}
            | self._changes(with_diff=flag(request, "diff"))
        )

    def _changes(self, *, with_diff: bool) -> dict[str, Any]:
        if not self.discussion.is_pull_request:
            return {}
        merge_commit = self.discussion.merge_commit
        changes = {"base": self.discussion.target}
        if merge_commit is not None:
            changes["mergeCommitId"] = bytes(merge_commit).hex()
        told: dict[str, Any] = {"changes": changes, "filesWithConflicts": []}
        # What files hold is for those who may read them.
        if can(self.principal, Action.REPO_READ, self.repo):
            told |= _compared(compare(self.discussion), with_diff=with_diff)
        return told


def _compared(found: Comparison, *, with_diff: bool) -> dict[str, Any]:
    diff = {"diff": found.diff} if with_diff else {}
    return {"filesWithConflicts": found.conflicts, **diff}


def event_json(
    event: DiscussionEvent, versions: Sequence[CommentVersion], reacted: Reacted
) -> dict[str, Any]:
    """One thing that happened, as clients read it, and what it said ``versions`` ago."""
    is_comment = event.kind == DiscussionEvent.Kind.COMMENT
    return {
        "id": event.public_id,
        "type": event.kind,
        "createdAt": iso(event.created_at),
        "data": _comment_data(event, versions, reacted) if is_comment else event.details,
        **_author(event.author),
    }


def told_alone(event: DiscussionEvent) -> dict[str, Any]:
    """The same, with what it said before."""
    versions, reacted = versions_of([event]), reactions_to([event])
    return event_json(event, versions.get(event.pk, ()), reacted.get(event.pk, {}))


def _comment_data(
    comment: DiscussionEvent, versions: Sequence[CommentVersion], reacted: Reacted
) -> dict[str, Any]:
    text, html = (HIDDEN, "") if comment.is_hidden else (comment.text, comment.html)
    return {
        "edited": comment.edited_at is not None,
        "hidden": comment.is_hidden,
        "latest": {
            "raw": text,
            "html": html,
            "updatedAt": iso(comment.edited_at or comment.created_at),
            **_author(comment.edited_by or comment.author),
        },
        "history": [
            {
                "raw": version.text,
                "html": version.html,
                "updatedAt": iso(version.written_at),
                **_author(version.author),
            }
            for version in versions
        ],
        "numEdits": len(versions),
        "reactions": [
            {"reaction": sign, "users": names, "count": len(names)}
            for sign, names in reacted.items()
        ],
    }


class Comment(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/comment."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        text = Body.of(request).text("comment")
        made = comments.comment(discussion=self.discussion, text=text, by=self.principal)
        return JsonAnswer({"newMessage": told_alone(made)})


class Title(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/title."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        title = Body.of(request).text("title")
        made = discussions.rename(discussion=self.discussion, title=title, by=self.principal)
        return JsonAnswer({"newTitle": told_alone(made)})


class Status(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/status: open or closed."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        made = discussions.change_status(
            discussion=self.discussion,
            status=body.text("status"),
            text=body.text("comment", ""),
            by=self.principal,
        )
        return JsonAnswer({"newStatus": told_alone(made)})


class Merge(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/merge."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        merged = pull_requests.merge_pull_request(
            discussion=self.discussion,
            text=body.text("comment", ""),
            head=body.text("head", ""),
            by=self.principal,
        )
        oid = bytes(merged.merge_commit or b"").hex()
        return JsonAnswer({"status": merged.status, "mergeCommitId": oid})


class EditComment(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/comment/{id}/edit."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, comment: str, **_: object) -> JsonAnswer:
        text = Body.of(request).text("content")
        found = comment_of(self.discussion, comment)
        edited = comments.edit(comment=found, text=text, by=self.principal)
        return JsonAnswer({"updatedComment": told_alone(edited)})


class HideComment(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/comment/{id}/hide."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, _request: HttpRequest, comment: str, **_: object) -> JsonAnswer:
        found = comment_of(self.discussion, comment)
        hidden = comments.hide(comment=found, by=self.principal)
        return JsonAnswer({"updatedComment": told_alone(hidden)})
