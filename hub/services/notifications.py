"""Whom news of discussions and promotions is for; asked when events are worked off.

That is once for each event, after the change has happened: nobody waits for it, and what was
rolled back tells nobody. What somebody may not see any more they are not told either.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from hub.models import AccessRequest, DiscussionEvent, Event, Mention, Notification, Repo, sql
from hub.policies import can
from teams.errors import Unauthenticated
from teams.models import Membership, Namespace, User
from teams.policies import Principal
from teams.roles import Action, Role

MOST_OWNERS = 200
"""Members of one organisation who are told of what is new in its repos."""
_TOLD = {
    ("discussion", "create"),
    ("discussion", "update"),
    ("discussion.comment", "create"),
    ("discussion.comment", "update"),
    ("discussion.approval", "create"),
    ("repo.access", "create"),
    ("repo.access", "update"),
    ("repo.promotion", "create"),
    ("repo.promotion", "update"),
}
_STRONGER = {
    Notification.Reason.MENTION: 0,
    Notification.Reason.PARTICIPANT: 1,
    Notification.Reason.OWNER: 2,
}
Reasons = dict[int, Notification.Reason]
"""Why somebody is told, by their key."""


def tell(event: Event, repo: Repo | None) -> None:
    """Note for everybody whom ``event`` concerns that there is something to look at."""
    if repo is None or (event.scope, event.action) not in _TOLD:
        return
    reasons = _reasons(event, repo)
    users = [user.pk for user in _audience(reasons, event, repo)]
    if users:
        _note(users, [reasons[user].value for user in users], event)


def _reasons(event: Event, repo: Repo) -> Reasons:
    found: Reasons = {}
    details = event.details
    if (event.scope, event.action) == ("discussion.comment", "update"):
        # An edit is news for those alone whom it mentions for the first time.
        _add(found, details["comment"].get("mentioned", ()), Notification.Reason.MENTION)
        return found
    if event.scope == "repo.access":
        return _reasons_of_access(event, repo)
    if event.scope == "repo.promotion":
        if event.action == "create":
            _add(found, _owners(repo), Notification.Reason.OWNER)
        _add(found, _who_asked(details["promotion"]["id"]), Notification.Reason.PARTICIPANT)
        return found
    is_new = (event.scope, event.action) == ("discussion", "create")
    if is_new or repo.namespace.kind == Namespace.Kind.USER:
        # In an organisation many may write: who wants to hear more takes part.
        _add(found, _owners(repo), Notification.Reason.OWNER)
    discussion_id = _discussion_id(event)
    _add(found, _participants(discussion_id), Notification.Reason.PARTICIPANT)
    comment = details.get("comment")
    if comment is not None:
        mentioned = Mention.objects.filter(comment_id=comment["id"])
        users = mentioned.values_list("user_id", flat=True)
        _add(found, users, Notification.Reason.MENTION)
    return found


def _reasons_of_access(event: Event, repo: Repo) -> Reasons:
    """A wish is news for those who decide, the decision for who asked; open gates for nobody."""
    found: Reasons = {}
    told = event.details["accessRequest"]
    if event.action == "create" and told["status"] == AccessRequest.Status.PENDING:
        _add(found, _owners(repo), Notification.Reason.OWNER)
    if event.action == "update":
        asked = AccessRequest.objects.filter(pk=told["id"]).values_list("user_id", flat=True)
        _add(found, asked, Notification.Reason.PARTICIPANT)
    return found


def _add(found: Reasons, users: Iterable[int], reason: Notification.Reason) -> None:
    for user in users:
        there = found.get(user)
        if there is None or _STRONGER[reason] < _STRONGER[there]:
            found[user] = reason


def _owners(repo: Repo) -> Iterable[int]:
    """The user who owns the repo, or the members of the organisation who may write to it."""
    owner = repo.namespace
    if owner.kind == Namespace.Kind.USER:
        return User.objects.filter(namespace=owner).values_list("pk", flat=True)
    members = Membership.objects.filter(organisation__namespace=owner, role__gte=Role.WRITE)
    return members.order_by("pk").values_list("user_id", flat=True)[:MOST_OWNERS]


def _participants(discussion_id: int) -> Iterable[int]:
    found = DiscussionEvent.objects.filter(discussion_id=discussion_id, author__isnull=False)
    return found.values_list("author_id", flat=True).distinct()


_ASKED = "SELECT asked_by_id FROM hub_promotion WHERE id = %s AND asked_by_id IS NOT NULL"
_NUMBERED = "SELECT id FROM hub_discussion WHERE repo_id = %s AND num = %s"


def _who_asked(promotion_id: int) -> list[int]:
    row = sql.row(_ASKED, [promotion_id])
    return [row[0]] if row else []


def _discussion_id(event: Event) -> int:
    details: Mapping[str, Mapping[str, int]] = event.details
    if event.scope == "discussion.approval":
        row = sql.row(_NUMBERED, [event.repo_id, details["approval"]["num"]])
        return int(row[0]) if row else 0
    return details["discussion"]["id"]


def _audience(reasons: Reasons, event: Event, repo: Repo) -> list[User]:
    """Those of them who are about, did not do it themselves, and may know of the repo."""
    users = User.objects.filter(pk__in=reasons, is_active=True)
    others = users.exclude(namespace_id=event.actor_id) if event.actor_id else users
    return [user for user in others if can(Principal(user=user), Action.REPO_SEE, repo)]


_NOTE = """
INSERT INTO hub_notification (user_id, repo_id, {thing}_id, reason, told, actor, count)
SELECT u.id, t.repo_id, t.id, u.reason, %(told)s, %(actor)s, 1
FROM {table} t, unnest(%(users)s::bigint[], %(reasons)s::text[]) AS u(id, reason)
WHERE t.id = %(id)s ORDER BY u.id
ON CONFLICT (user_id, {thing}_id) WHERE read_at IS NULL AND {thing}_id IS NOT NULL
DO UPDATE SET told = excluded.told, actor = excluded.actor, updated_at = statement_timestamp(),
    count = hub_notification.count + 1,
    reason = CASE WHEN hub_notification.reason = 'mention' THEN 'mention' ELSE excluded.reason END
"""


def _note(users: Sequence[int], reasons: Sequence[str], event: Event) -> None:
    thing, table, number = _thing(event)
    values = {
        "users": users,
        "reasons": reasons,
        "told": f"{event.scope}.{event.action}",
        "actor": event.actor_name,
        "id": number,
    }
    sql.run(_NOTE.format(thing=thing, table=table), values)


def _thing(event: Event) -> tuple[str, str, int]:
    """What the news is of: as the column has it, its table, and its key."""
    if event.scope == "repo.promotion":
        return "promotion", "hub_promotion", event.details["promotion"]["id"]
    if event.scope == "repo.access":
        return "access", "hub_accessrequest", event.details["accessRequest"]["id"]
    return "discussion", "hub_discussion", _discussion_id(event)


@transaction.atomic
def mark_read(*, by: Principal, numbers: Iterable[int] | None = None) -> int:
    """Take notifications as read, all of them if none are named; answer how many were not.

    What is told of anew at this very moment stays unread, and nobody is waited for.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    if by.user is None:
        raise Unauthenticated
    unread = Notification.objects.filter(user=by.user, read_at=None)
    chosen = unread if numbers is None else unread.filter(pk__in=list(numbers))
    free = chosen.select_for_update(skip_locked=True).values("pk")
    return Notification.objects.filter(pk__in=free).update(read_at=timezone.now())
