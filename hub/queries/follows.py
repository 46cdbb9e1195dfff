"""Who follows whom, and what those whom one follows did."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from hub.models import Discussion, Event, Follow, Like, Repo, sql
from hub.policies import visible_to
from teams.models import Namespace, User
from teams.policies import Principal

_SCANNED = 300
"""Events that are looked at for one page, of which some may not be for the reader."""
_TOLD = (
    "repo.create",
    "repo.move",
    "repo.content.update",
    "repo.promotion.create",
    "discussion.create",
    "discussion.comment.create",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What profiles say in numbers."""

    followers: int
    following: int = 0
    likes: int = 0
    discussions: int = 0


def followers_of(namespace: Namespace, *, before: int | None, limit: int) -> Sequence[Follow]:
    """Those who follow ``namespace``, newest first; ``before`` is where the last page ended."""
    found = Follow.objects.filter(namespace=namespace, user__is_active=True)
    return _page(found.select_related("user__namespace"), before, limit)


def followed_by(user: User, *, before: int | None, limit: int) -> Sequence[Follow]:
    """Whom ``user`` follows, newest first."""
    found = Follow.objects.filter(user=user)
    return _page(found.select_related("namespace__user", "namespace__organisation"), before, limit)


def _page(found: QuerySet[Follow], before: int | None, limit: int) -> list[Follow]:
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-pk")[:limit])


def is_followed(namespace: Namespace, by: User | None) -> bool:
    return by is not None and Follow.objects.filter(user=by, namespace=namespace).exists()


def counts_of(namespace: Namespace, user: User | None = None) -> Counts:
    """Count followers; of a user also whom they follow and what they did."""
    followers = Follow.objects.filter(namespace=namespace).count()
    if user is None:
        return Counts(followers)
    return Counts(
        followers,
        Follow.objects.filter(user=user).count(),
        Like.objects.filter(user=user).count(),
        Discussion.objects.filter(author=user, repo__visibility="public").count(),
    )


def repo_counts(namespace: Namespace, reader: Principal) -> dict[str, int]:
    """How many models, datasets and spaces of ``namespace`` there are for ``reader``."""
    seen = Repo.objects.filter(visible_to(reader), namespace=namespace).values_list("kind")
    kinds = [kind for (kind,) in seen]
    return {kind: kinds.count(kind) for kind in ("model", "dataset", "space")}


# For each whom they follow the newest few, by an index; then the newest of all.
_ACTIVITY = """
WITH followed AS (
    SELECT namespace_id AS id FROM hub_follow WHERE user_id = %(user)s
    UNION SELECT unnest(%(own)s::bigint[])
)
SELECT DISTINCT e.id FROM followed f CROSS JOIN LATERAL (
    (SELECT id FROM hub_event WHERE actor_id = f.id AND id < %(before)s
        AND scope || '.' || action = ANY(%(told)s) ORDER BY id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT id FROM hub_event WHERE owner_id = f.id AND id < %(before)s
        AND scope || '.' || action = ANY(%(told)s) ORDER BY id DESC LIMIT %(limit)s)
) e ORDER BY e.id DESC LIMIT %(limit)s
"""
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that somebody did to a repo which is still there for its reader."""

    event: Event
    repo: Repo


def activity_for(
    reader: Principal, *, before: int | None, limit: int
) -> tuple[list[Activity], int | None]:
    """What those whom ``reader`` follows and their organisations did, newest first.

    Answers also where the next page begins; None: there is no more. What they did themselves is
    left out, and what happened to repos that the reader may not see (now).
    """
    if reader.user is None:
        return [], None
    own = [one for one in reader.roles if one != reader.user.namespace_id]
    values = {"user": reader.user.pk, "own": own, "told": list(_TOLD), "limit": _SCANNED}
    ids = [row[0] for row in sql.rows(_ACTIVITY, values | {"before": before or _LAST})]
    events = Event.objects.exclude(actor_id=reader.user.namespace_id).in_bulk(ids)
    seen = Repo.objects.filter(visible_to(reader)).select_related("namespace")
    repos = seen.in_bulk({event.repo_id for event in events.values()})
    found = [
        Activity(event, repos[event.repo_id])
        for event in sorted(events.values(), key=lambda one: -one.pk)
        if event.repo_id in repos
    ]
    page = found[:limit]
    if len(found) > limit:
        return page, page[-1].event.pk
    return page, ids[-1] if len(ids) == _SCANNED else None
