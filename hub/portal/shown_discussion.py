"""Values that pages of discussions show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString, mark_safe

from hub.git.refs import BRANCHES
from hub.http import links
from hub.models import Discussion, DiscussionEvent
from hub.policies import check_can_edit, check_can_hide
from hub.portal.shown import SHORT
from teams.errors import Refusal
from teams.models import User
from teams.policies import Principal

NOBODY = "somebody who left"


@dataclass(frozen=True, slots=True)
class ShownDiscussion:
    """A discussion in a list, or above its own pages."""

    num: int
    title: str
    status: str
    is_pull_request: bool
    author: str
    created_at: datetime
    n_comments: int
    url: str
    ref: str = ""
    branch: str = ""
    merge_commit: str = ""
    merge_commit_url: str = ""

    @classmethod
    def of(cls, discussion: Discussion) -> "ShownDiscussion":
        merged = bytes(discussion.merge_commit or b"")
        is_pull_request = discussion.is_pull_request
        return cls(
            num=discussion.num,
            title=discussion.title,
            status=discussion.status,
            is_pull_request=is_pull_request,
            author=name_of(discussion.author),
            created_at=discussion.created_at,
            n_comments=discussion.n_comments,
            url=discussion.url,
            ref=discussion.ref if is_pull_request else "",
            branch=discussion.target.removeprefix(BRANCHES),
            merge_commit=merged.hex()[:SHORT],
            merge_commit_url=links.commit_url(discussion.repo.url, merged) if merged else "",
        )


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One thing that happened, and what its reader may do about it."""

    id: str
    kind: str
    author: str
    at: datetime
    html: SafeString | str = ""
    is_hidden: bool = False
    edited_at: datetime | None = None
    text: str = ""
    """What a change of title, status or branch comes to."""
    commit: str = ""
    url: str = ""
    edit_url: str = ""

    @classmethod
    def of(cls, event: DiscussionEvent, discussion: Discussion, reader: Principal) -> "ShownEvent":
        event.discussion = discussion
        oid = event.details.get("oid", "")
        edits = event.kind == DiscussionEvent.Kind.COMMENT and may_change(event, reader)
        return cls(
            id=event.public_id,
            kind=event.kind,
            author=name_of(event.author),
            at=event.created_at,
            # The renderer leaves nothing in it that a browser would run.
            html=mark_safe(event.html),  # noqa: S308
            is_hidden=event.is_hidden,
            edited_at=event.edited_at,
            text=_text(event),
            commit=oid[:SHORT],
            url=f"{discussion.repo.url}/commit/{oid}" if oid else "",
            edit_url=f"{discussion.url}/comment/{event.public_id}" if edits else "",
        )


def shown_events(
    events: Iterable[DiscussionEvent], discussion: Discussion, reader: Principal
) -> list[ShownEvent]:
    return [ShownEvent.of(event, discussion, reader) for event in events]


def _text(event: DiscussionEvent) -> str:
    keys = {
        DiscussionEvent.Kind.STATUS: "status",
        DiscussionEvent.Kind.TITLE: "to",
        DiscussionEvent.Kind.COMMIT: "subject",
    }
    found: str = event.details.get(keys.get(DiscussionEvent.Kind(event.kind), ""), "")
    return found


def may_change(comment: DiscussionEvent, reader: Principal) -> bool:
    """Whether ``reader`` may edit or hide a comment that still says something."""
    return not comment.is_hidden and (may_edit(comment, reader) or may_hide(comment, reader))


def may_edit(comment: DiscussionEvent, reader: Principal) -> bool:
    try:
        check_can_edit(reader, comment)
    except Refusal:
        return False
    return True


def may_hide(comment: DiscussionEvent, reader: Principal) -> bool:
    try:
        check_can_hide(reader, comment)
    except Refusal:
        return False
    return True


def name_of(user: User | None) -> str:
    return user.name if user else NOBODY
