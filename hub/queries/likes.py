"""Who likes what; only repos that the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from hub.models import Like, Repo
from hub.policies import visible_to
from teams.models import User
from teams.names import number_in
from teams.policies import Principal


@dataclass(frozen=True, slots=True)
class LikePage:
    """Some likes, newest first, and the cursor of what comes after; empty at the end."""

    likes: Sequence[Like]
    next_cursor: str = ""


def likes_of(user: User, *, reader: Principal, cursor: str, limit: int) -> LikePage:
    """What ``user`` likes, as far as ``reader`` may know of it.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    visible = Repo.objects.filter(visible_to(reader))
    return _page(Q(user=user, repo__in=visible), cursor, limit)


def likes_on(repo: Repo, *, cursor: str, limit: int) -> LikePage:
    """Who likes ``repo``; whether one may know of it is for the caller to have asked.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    return _page(Q(repo=repo), cursor, limit)


def does_like(reader: Principal, repo: Repo) -> bool:
    return reader.user is not None and Like.objects.filter(user=reader.user, repo=repo).exists()


def _page(condition: Q, cursor: str, limit: int) -> LikePage:
    found = Like.objects.filter(condition).select_related("repo__namespace", "user__namespace")
    if cursor:
        found = found.filter(pk__lt=number_in(cursor, "cursor"))
    rows = list(found.order_by("-pk")[: limit + 1])
    more = len(rows) > limit
    return LikePage(rows[:limit], str(rows[limit - 1].pk) if more else "")
