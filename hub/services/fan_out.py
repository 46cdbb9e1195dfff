"""Who is to be told: turn waiting events into deliveries, one for each webhook that wants them.

Twice does no harm: an event and a webhook have one delivery. Who may not see a repo does not even
get a row, so its delivery log tells nothing either.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from uuid import uuid4

import structlog
from django.db import transaction

from hub.git.refs import BRANCHES, TAGS
from hub.git.wildmatch import Pattern
from hub.models import Delivery, Event, Repo, Webhook, sql
from hub.policies import may_hear
from hub.queries.diffs import changed_files
from hub.queries.history import commits_by_oid
from hub.services import notifications
from hub.services.webhook_payloads import body_of
from teams.errors import Refusal

log = structlog.get_logger(__name__)

AT_ONCE = 200
_LOCK = 7_305_002
PULL_REQUESTS = "refs/pr/"
USUAL = frozenset({"repo", "repo.content", "repo.config", "discussion", "discussion.comment"})
"""Scopes that readers of version 3 know; others reach only webhooks that ask for them by name."""
_NAMES = {
    "repo": "repo",
    "repo.config": "config",
    "repo.security": "security",
    "repo.status": "status",
    "repo.promotion": "promotion",
    "repo.access": "access",
    "repo.job": "job",
    "discussion.comment": "comment",
    "discussion.approval": "approval",
}
EVENTS = frozenset({"push", "release", "pr-ref", "discussion", *_NAMES.values()})
"""What a webhook may ask for by name."""

_PAIRS = """
SELECT e.id, w.webhook_id FROM hub_event e JOIN hub_watch w ON w.repo_id = e.repo_id
WHERE e.id = ANY(%(events)s)
UNION
SELECT e.id, w.webhook_id FROM hub_event e JOIN hub_watch w ON w.namespace_id = e.owner_id
WHERE e.id = ANY(%(events)s)
ORDER BY 1, 2
"""
_HOLD = "SELECT id FROM {} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


@transaction.atomic
def fan_out() -> int:
    """Work off up to 200 waiting events, unless somebody else is at it; answer how many."""
    # Two at once would note news for the same readers, each in the order of its own events.
    if sql.row("SELECT pg_try_advisory_xact_lock(%s, 0)", [_LOCK]) != (True,):
        return 0
    waiting = Event.objects.select_for_update(skip_locked=True).filter(is_waiting=True)
    events = {event.pk: event for event in waiting.order_by("pk")[:AT_ONCE]}
    if not events:
        return 0
    # Who is just deleting one of these repos is waited for before anything else is held.
    ids = sorted({event.repo_id for event in events.values()})
    there = [pk for (pk,) in sql.rows(_HOLD.format("hub_repo"), [ids])]
    repos = Repo.objects.select_related("namespace").in_bulk(there)
    for event in events.values():
        notifications.tell(event, repos.get(event.repo_id))
    pairs = sql.rows(_PAIRS, {"events": list(events)})
    Delivery.objects.bulk_create(
        (_delivery(event, webhook) for event, webhook in _wanted(events, repos, pairs)),
        ignore_conflicts=True,
    )
    Event.objects.filter(pk__in=events).update(is_waiting=False)
    _changed_paths.cache_clear()
    return len(events)


def _wanted(
    events: dict[int, Event], repos: Mapping[int, Repo], pairs: Sequence[tuple[int, int]]
) -> Iterator[tuple[Event, Webhook]]:
    # Who is just deleting one of them is waited for, and who comes later waits for us.
    wanted = sorted({webhook for _event, webhook in pairs})
    there = sql.rows(_HOLD.format("hub_webhook"), [wanted])
    webhooks = (
        Webhook.objects.filter(disabled_at=None)
        .select_related("namespace", "namespace__user__namespace")
        .in_bulk([webhook for (webhook,) in there])
    )
    for event_id, webhook_id in pairs:
        event, webhook = events[event_id], webhooks.get(webhook_id)
        if webhook is None or not wants(webhook, event):
            continue
        if may_hear(webhook, event, repos.get(event.repo_id)):
            yield event, webhook


def _delivery(event: Event, webhook: Webhook) -> Delivery:
    return Delivery(
        webhook=webhook,
        event=event,
        message_id=new_message_id(),
        scope=f"{event.scope}.{event.action}",
        body=body_of(event, webhook),
    )


def new_message_id() -> str:
    return f"msg_{uuid4().hex}"


def wants(webhook: Webhook, event: Event) -> bool:
    """Whether ``event`` came after ``webhook`` and passes its filters."""
    is_older = event.created_at < webhook.created_at
    if is_older or event.scope.partition(".")[0] not in webhook.domains:
        return False
    refs = [one["ref"] for one in event.details.get("refs", ())]
    names = _names_of(event, refs)
    if webhook.events and not names & set(webhook.events):
        return False
    if not webhook.events and event.scope not in USUAL:
        return False
    if event.scope != "repo.content":
        return True
    return _any_fits(webhook.ref_globs, refs) and _any_path_fits(webhook, event)


def _names_of(event: Event, refs: Iterable[str]) -> set[str]:
    if event.scope != "repo.content":
        return {_NAMES.get(event.scope, event.scope)}
    of_refs = {BRANCHES: "push", TAGS: "release", PULL_REQUESTS: "pr-ref"}
    return {name for ref in refs for prefix, name in of_refs.items() if ref.startswith(prefix)}


def _any_fits(globs: Sequence[str], names: Sequence[str]) -> bool:
    """Without globs everything fits, if there is anything at all."""
    if not globs:
        return bool(names)
    patterns = [Pattern.parse(glob) for glob in globs]
    return any(pattern.matches(name) for pattern in patterns for name in names)


def _any_path_fits(webhook: Webhook, event: Event) -> bool:
    if not webhook.path_globs:
        return True
    try:
        return any(
            _any_fits(webhook.path_globs, _changed_paths(event.repo_id, move["old"], move["new"]))
            for move in event.details["refs"]
            if move["new"]
        )
    except (Refusal, KeyError, ValueError, zlib.error) as problem:
        # Damaged or collected since: rather too much is told than nothing, and to nobody else.
        log.warning("changes_cannot_be_read", event_id=event.pk, reason=repr(problem))
        return True


# Many webhooks may ask what one event changed, one after the other.
@lru_cache(maxsize=1)
def _changed_paths(repo_id: int, old: str | None, new: str) -> Sequence[str]:
    oids = [bytes.fromhex(oid) for oid in (old, new) if oid]
    trees = {oid.hex(): row.tree for oid, row in commits_by_oid(repo_id, oids).items()}
    return [change.path for change in changed_files(repo_id, trees.get(old or ""), trees.get(new))]
