"""Write, edit and hide comments; whom they mention is written down with them."""

from django.db import transaction
from django.utils import timezone

from hub.errors import DiscussionOver
from hub.events import CommentAdded, CommentChanged
from hub.models import CommentVersion, Discussion, DiscussionEvent, Mention
from hub.policies import check_can, check_can_edit, check_can_hide
from hub.services import attachments
from hub.services.comment_text import Said, prepared
from hub.services.discussion_log import announce, check_talk, locked
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

MAX_VERSIONS = 100
"""How often a comment can be edited: each version is kept."""


def comment(*, discussion: Discussion, text: str, by: Principal) -> DiscussionEvent:
    """Say something in a discussion, be it open or over.

    Raises:
        Invalid: the text is empty or too long.
        Forbidden: discussions are disabled, or ``by`` may only read.
    """
    check_can(by, Action.REPO_DISCUSS, discussion.repo)
    check_talk(discussion.repo)
    said = prepared(discussion.repo, text)
    with transaction.atomic():
        fresh = locked(discussion)
        made = add(fresh, said, by.user)
        announce(CommentAdded, fresh, by=by.user, comment=made)
    return made


def add(discussion: Discussion, said: Said, by: User | None) -> DiscussionEvent:
    """Write a comment down, within the caller's transaction."""
    made = DiscussionEvent.objects.create(
        discussion=discussion,
        kind=DiscussionEvent.Kind.COMMENT,
        author=by,
        text=said.text,
        html=said.html,
    )
    _note_mentions(made, said)
    attachments.show(made, by)
    return made


def edit(*, comment: DiscussionEvent, text: str, by: Principal) -> DiscussionEvent:
    """Let a comment say something else; what it said is kept.

    Raises:
        Forbidden: it is somebody else's.
        Invalid: the text is empty or too long.
        DiscussionOver: it is hidden, or was edited too often.
    """
    check_can_edit(by, comment)
    check_talk(comment.discussion.repo)
    said = prepared(comment.discussion.repo, text)
    with transaction.atomic():
        discussion, fresh = _locked_comment(comment)
        if fresh.versions.count() >= MAX_VERSIONS:
            raise DiscussionOver("This comment was edited too often; write a new one.")
        if said.text == fresh.text:
            return fresh
        _keep_version(fresh)
        fresh.text, fresh.html = said.text, said.html
        fresh.edited_at, fresh.edited_by = timezone.now(), by.user
        fresh.save(update_fields=["text", "html", "edited_at", "edited_by"])
        fresh_names = _note_mentions(fresh, said)
        attachments.show(fresh, by.user)
        announce(CommentChanged, discussion, by=by.user, comment=fresh, mentioned=fresh_names)
    return fresh


def hide(*, comment: DiscussionEvent, by: Principal) -> DiscussionEvent:
    """Take a comment away for good, with all that it said before.

    Raises:
        Forbidden: it is somebody else's, and ``by`` may not write to the repo.
        DiscussionOver: it is hidden already.
    """
    check_can_hide(by, comment)
    with transaction.atomic():
        discussion, fresh = _locked_comment(comment)
        fresh.versions.all().delete()
        fresh.mentions.all().delete()
        fresh.reactions.all().delete()
        fresh.attachment_uses.all().delete()
        fresh.text = fresh.html = ""
        fresh.is_hidden = True
        fresh.save(update_fields=["text", "html", "is_hidden"])
        announce(CommentChanged, discussion, by=by.user, comment=fresh)
    return fresh


def _locked_comment(comment: DiscussionEvent) -> tuple[Discussion, DiscussionEvent]:
    discussion = locked(comment.discussion)
    # Reactions come without the repo's lock: they wait for the row.
    rows = DiscussionEvent.objects.select_for_update(of=("self",), no_key=True)
    fresh = rows.select_related("author__namespace").get(pk=comment.pk)
    if fresh.is_hidden:
        raise DiscussionOver("This comment has been hidden.")
    fresh.discussion = discussion
    return discussion, fresh


def _keep_version(comment: DiscussionEvent) -> None:
    CommentVersion.objects.create(
        comment=comment,
        text=comment.text,
        html=comment.html,
        author=comment.edited_by or comment.author,
        written_at=comment.edited_at or comment.created_at,
    )


def _note_mentions(comment: DiscussionEvent, said: Said) -> list[int]:
    """Answer who was not mentioned in it before; an edit takes no mention back."""
    known = set(comment.mentions.values_list("user_id", flat=True))
    fresh = [user for user in said.mentioned if user not in known]
    Mention.objects.bulk_create(
        [Mention(comment=comment, user_id=user) for user in fresh], ignore_conflicts=True
    )
    return fresh
