"""What all changes of discussions share: the lock, what is written down, and what is announced."""

from collections.abc import Sequence
from typing import Any

from hub.errors import DiscussionNotFound, RepoNotFound
from hub.events import CommentFacts, DiscussionFacts, DiscussionNews
from hub.models import Discussion, DiscussionEvent, Repo, sql
from hub.services import outbox
from teams.errors import Forbidden, Invalid
from teams.models import User


def check_talk(repo: Repo) -> None:
    """Refuse where its owners want no discussions.

    Raises:
        Forbidden: they have switched them off.
    """
    if repo.discussions_disabled:
        raise Forbidden("Discussions are disabled for this repo.")


def checked_text(text: str, what: str, most: int) -> str:
    """Answer ``text`` without space around it.

    Raises:
        Invalid: nothing is left, it is longer than ``most`` characters, or PostgreSQL has no way
            to keep it.
    """
    found = text.strip()
    if not found:
        raise Invalid(f"The {what} must not be empty.")
    if len(found) > most:
        raise Invalid(f"The {what} has {len(found):,} characters; at most {most:,} fit.")
    if "\0" in found:
        raise Invalid(f"The {what} must not hold NUL characters.")
    return found


def locked(discussion: Discussion) -> Discussion:
    """Wait until nobody else changes the repo, and answer the discussion as it is then.

    Raises:
        RepoNotFound, DiscussionNotFound: it was deleted meanwhile.
    """
    query = "SELECT 1 FROM hub_repo WHERE id = %s FOR NO KEY UPDATE"
    if sql.row(query, [discussion.repo_id]) is None:
        raise RepoNotFound
    rows = Discussion.objects.select_related("repo__namespace", "author__namespace")
    found = rows.filter(pk=discussion.pk).first()
    if found is None:
        raise DiscussionNotFound
    return found


def write_down(
    discussion: Discussion, kind: DiscussionEvent.Kind, by: User | None, **details: Any
) -> DiscussionEvent:
    """Add to what happened in a discussion something other than a comment."""
    return DiscussionEvent.objects.create(
        discussion=discussion, kind=kind, author=by, details=details
    )


def announce(
    news: type[DiscussionNews],
    discussion: Discussion,
    *,
    by: User | None,
    comment: DiscussionEvent | None = None,
    mentioned: Sequence[int] = (),
) -> None:
    """Tell of a discussion as it is now; the caller has saved it.

    ``mentioned`` are those whom an edit of the comment mentions for the first time.
    """
    told = _comment_facts(comment, mentioned) if comment else None
    outbox.announce(discussion.repo_id, news(_facts(discussion), told), by=by)


def _facts(discussion: Discussion) -> DiscussionFacts:
    merge_commit = discussion.merge_commit
    return DiscussionFacts(
        id=discussion.pk,
        num=discussion.num,
        title=discussion.title,
        status=discussion.status,
        is_pull_request=discussion.is_pull_request,
        author_id=discussion.author.namespace_id if discussion.author else None,
        target=discussion.target,
        merge_commit=bytes(merge_commit).hex() if merge_commit else None,
        is_pinned=discussion.is_pinned,
    )


def _comment_facts(comment: DiscussionEvent, mentioned: Sequence[int]) -> CommentFacts:
    author = comment.author.namespace_id if comment.author else None
    text = None if comment.is_hidden else comment.text
    return CommentFacts(comment.pk, author, text, tuple(mentioned))
