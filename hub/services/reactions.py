"""React to comments with one of some signs, and take it back; pin discussions."""

from django.db import transaction

from hub.errors import DiscussionOver
from hub.events import DiscussionChanged
from hub.models import Discussion, DiscussionEvent, Reaction
from hub.policies import check_can
from hub.services.discussion_log import announce, check_talk, locked
from teams.errors import Invalid, Unauthenticated
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

SIGNS = tuple(Reaction.Sign.values)


def react(*, comment: DiscussionEvent, sign: str, by: Principal) -> None:
    """Let ``by`` react to a comment; to do so again changes nothing.

    Raises:
        Forbidden: discussions are disabled, or ``by`` may only read.
        Invalid: there is no such sign.
        DiscussionOver: the comment is hidden.
    """
    user = _checked(comment, sign, by)
    with transaction.atomic():
        # Whoever hides it takes its reactions away: the row is held until ours stands.
        rows = DiscussionEvent.objects.select_for_update(no_key=True)
        if rows.get(pk=comment.pk).is_hidden:
            raise DiscussionOver("This comment has been hidden.")
        Reaction.objects.bulk_create(
            [Reaction(comment=comment, user=user, sign=sign)], ignore_conflicts=True
        )


def take_back(*, comment: DiscussionEvent, sign: str, by: Principal) -> None:
    """Take a reaction back, if there is one.

    Raises:
        Refusal: as :func:`react`.
    """
    user = _checked(comment, sign, by)
    Reaction.objects.filter(comment=comment, user=user, sign=sign).delete()


def _checked(comment: DiscussionEvent, sign: str, by: Principal) -> User:
    repo = comment.discussion.repo
    check_can(by, Action.REPO_DISCUSS, repo)
    check_talk(repo)
    if by.user is None:
        raise Unauthenticated
    if sign not in SIGNS:
        raise Invalid(f"A reaction is one of {' '.join(SIGNS)}")
    return by.user


def pin(*, discussion: Discussion, is_pinned: bool, by: Principal) -> Discussion:
    """Let a discussion stand above the others, or no longer.

    Raises:
        Forbidden: ``by`` may not write to the repo.
    """
    check_can(by, Action.REPO_WRITE, discussion.repo)
    with transaction.atomic():
        fresh = locked(discussion)
        if fresh.is_pinned != is_pinned:
            fresh.is_pinned = is_pinned
            fresh.save(update_fields=["is_pinned"])
            announce(DiscussionChanged, fresh, by=by.user)
    return fresh
