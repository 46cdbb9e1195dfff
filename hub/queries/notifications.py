"""What somebody is notified of."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from hub.models import Notification, Repo
from hub.policies import visible_to
from hub.queries import cursors
from teams.models import User
from teams.policies import Principal

_SORT = "notifications"


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Some notifications, newest first, and the cursor of what comes after."""

    notifications: Sequence[Notification]
    next_cursor: str = ""


def unread_count(user: User) -> int:
    return Notification.objects.filter(user=user, read_at=None).count()


def notifications_of(
    reader: Principal, *, unread_only: bool, cursor: str, limit: int
) -> NotificationPage:
    """Those of ``reader``, as far as they may still see the repos.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    if reader.user is None:
        return NotificationPage([])
    of_repos = Q(repo__in=Repo.objects.filter(visible_to(reader)))
    found = Notification.objects.filter(of_repos | Q(webhook__isnull=False), user=reader.user)
    found = found.select_related(
        "repo__namespace", "discussion", "promotion", "access__user__namespace", "webhook"
    )
    if unread_only:
        found = found.filter(read_at=None)
    if cursor:
        value, last_id = cursors.decode(_SORT, cursor)
        found = found.filter(Q(updated_at__lt=value) | Q(updated_at=value, pk__lt=last_id))
    rows = list(found.order_by("-updated_at", "-pk")[: limit + 1])
    page = rows[:limit]
    if len(rows) <= limit:
        return NotificationPage(page)
    return NotificationPage(page, cursors.encode(_SORT, page[-1].updated_at, page[-1].pk))
