"""Open discussions, change their titles, close them and open them again."""

from django.db import transaction
from django.utils import timezone

from hub.errors import DiscussionOver
from hub.events import CommentAdded, DiscussionChanged, DiscussionOpened
from hub.models import Discussion, DiscussionEvent, Repo, sql
from hub.models.discussion import MAX_TITLE
from hub.policies import check_can, check_can_tend
from hub.services import comments
from hub.services.comment_text import Said, prepared_if_any
from hub.services.discussion_log import (
    announce,
    check_talk,
    checked_text,
    locked,
    write_down,
)
from teams.errors import Invalid
from teams.policies import Principal
from teams.roles import Action

NEXT: dict[str, frozenset[str]] = {
    Discussion.Status.DRAFT: frozenset({Discussion.Status.OPEN, Discussion.Status.CLOSED}),
    Discussion.Status.OPEN: frozenset({Discussion.Status.CLOSED}),
    Discussion.Status.CLOSED: frozenset({Discussion.Status.OPEN}),
    Discussion.Status.MERGED: frozenset(),
}
"""Where somebody may take a status to; merging is another matter."""


def open_discussion(*, repo: Repo, title: str, text: str, by: Principal) -> Discussion:
    """Begin a discussion; ``text`` is its first comment, which there need not be.

    Raises:
        Invalid: title or text are empty or too long.
        Forbidden: discussions are disabled, or ``by`` may only read.
    """
    check_can(by, Action.REPO_DISCUSS, repo)
    check_talk(repo)
    title = checked_title(title)
    said = prepared_if_any(repo, text)
    with transaction.atomic():
        made = Discussion.objects.create(repo=repo, num=next_num(repo), title=title, author=by.user)
        describe(made, said, by)
    return made


def describe(discussion: Discussion, said: Said | None, by: Principal) -> None:
    """Write the first comment down, if there is one, and announce the discussion."""
    first = comments.add(discussion, said, by.user) if said else None
    announce(DiscussionOpened, discussion, by=by.user, comment=first)


def next_num(repo: Repo) -> int:
    """The number of the next discussion; until the transaction ends nobody else is given one.

    Its lock is taken before all others, so that it may be held while objects are stored.
    """
    sql.run("SELECT pg_advisory_xact_lock(hashtextextended('discussions', %s))", [repo.pk])
    row = sql.row("SELECT max(num) FROM hub_discussion WHERE repo_id = %s", [repo.pk])
    return (row[0] or 0) + 1 if row else 1


def checked_title(title: str) -> str:
    """Answer a title on one line.

    Raises:
        Invalid: it is empty or too long.
    """
    return checked_text(" ".join(title.split()), "title", MAX_TITLE)


def rename(*, discussion: Discussion, title: str, by: Principal) -> DiscussionEvent:
    """Give a discussion another title.

    Raises:
        Forbidden: ``by`` is neither its author nor may they write to the repo.
        Invalid: the title is empty, too long, or the old one.
    """
    check_can_tend(by, discussion)
    title = checked_title(title)
    with transaction.atomic():
        fresh = locked(discussion)
        if fresh.title == title:
            raise Invalid("That is the title already.")
        details = {"from": fresh.title, "to": title}
        made = write_down(fresh, DiscussionEvent.Kind.TITLE, by.user, **details)
        fresh.title = title
        save(fresh, "title")
        announce(DiscussionChanged, fresh, by=by.user)
    return made


def change_status(
    *, discussion: Discussion, status: str, text: str = "", by: Principal
) -> DiscussionEvent:
    """Close a discussion or open it again; a draft that is opened can be merged.

    Raises:
        Forbidden: ``by`` is neither its author nor may they write to the repo.
        Invalid: there is no such status, or the comment is too long.
        DiscussionOver: it cannot go from the status that it has to that one.
    """
    check_can_tend(by, discussion)
    if status not in {Discussion.Status.OPEN, Discussion.Status.CLOSED}:
        raise Invalid('"status" must be "open" or "closed".')
    said = prepared_if_any(discussion.repo, text)
    with transaction.atomic():
        fresh = locked(discussion)
        if status not in NEXT[fresh.status]:
            raise DiscussionOver(f"It is {fresh.status} and cannot become {status}.")
        return take_to(fresh, status, said, by)


def take_to(
    discussion: Discussion, status: str, said: Said | None, by: Principal
) -> DiscussionEvent:
    """Write down and announce that a locked discussion has another status, and what was said."""
    if said:
        spoken = comments.add(discussion, said, by.user)
        announce(CommentAdded, discussion, by=by.user, comment=spoken)
    made = write_down(discussion, DiscussionEvent.Kind.STATUS, by.user, status=status)
    discussion.status = status
    save(discussion, "status", "base", "head", "merge_commit")
    announce(DiscussionChanged, discussion, by=by.user)
    return made


def save(discussion: Discussion, *fields: str) -> None:
    """Save ``fields``, and when it was."""
    discussion.updated_at = timezone.now()
    discussion.save(update_fields=[*fields, "updated_at"])
