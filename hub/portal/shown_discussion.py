"""Values that pages of discussions show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString, mark_safe

from hub.git.refs import BRANCHES
from hub.http import links
from hub.models import Discussion, DiscussionEvent, Reaction
from hub.policies import check_can_edit, check_can_hide
from hub.portal.shown import SHORT
from hub.queries.discussions import Reacted, reactions_to
from teams.errors import Refusal
from teams.models import User
from teams.policies import Principal

NOBODY = "somebody who left"
_NAMED = 12
"""Who reacted, by name, in the tip of a sign."""


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
    is_pinned: bool = False

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
            is_pinned=discussion.is_pinned,
        )


@dataclass(frozen=True, slots=True)
class ShownReaction:
    """A sign below a comment, and whose it is."""

    sign: str
    word: str
    count: int
    names: str
    is_own: bool


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
    reactions: Sequence[ShownReaction] = ()
    more_signs: Sequence[ShownReaction] = ()
    """Those that nobody chose yet, for who may."""
    react_url: str = ""

    @classmethod
    def of(
        cls,
        event: DiscussionEvent,
        discussion: Discussion,
        reader: Principal,
        reacted: Reacted | None = None,
        *,
        may_react: bool = False,
    ) -> "ShownEvent":
        event.discussion = discussion
        oid = event.details.get("oid", "")
        is_comment = event.kind == DiscussionEvent.Kind.COMMENT
        edits = is_comment and may_change(event, reader)
        here = f"{discussion.url}/comment/{event.public_id}"
        reacts = is_comment and may_react and not event.is_hidden
        signs = _shown_reactions(reacted or {}, reader)
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
            edit_url=here if edits else "",
            reactions=[one for one in signs if one.count],
            more_signs=[one for one in signs if not one.count] if reacts else (),
            react_url=f"{here}/reaction" if reacts else "",
        )


def shown_events(
    events: Sequence[DiscussionEvent],
    discussion: Discussion,
    reader: Principal,
    *,
    may_react: bool = False,
) -> list[ShownEvent]:
    reacted = reactions_to(events)
    return [
        ShownEvent.of(event, discussion, reader, reacted.get(event.pk), may_react=may_react)
        for event in events
    ]


def _shown_reactions(reacted: Reacted, reader: Principal) -> list[ShownReaction]:
    own = reader.user.name if reader.user else None
    return [
        ShownReaction(
            sign=sign.value,
            word=sign.label,
            count=len(names),
            names=", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else ""),
            is_own=own in names,
        )
        for sign in Reaction.Sign
        for names in [reacted.get(sign.value, ())]
    ]


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
