"""Drain the outbox: events become deliveries, deliveries become requests.

Rows are the truth. A delivery is claimed by a conditional update that doubles as a lease: whoever
dies with it in hand loses it when the lease ends, and another takes it. So each arrives at least
once. The database is spoken to by the caller's thread, receivers by an event loop in another one,
so no receiver's slowness holds up a row.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hub.crashpoints import Point, reach
from hub.models import Delivery, Repo, sql
from hub.outgoing import presets
from hub.outgoing.client import Answer
from hub.outgoing.presets import Preset
from hub.outgoing.signing import Message, headers, without_secrets
from hub.policies import may_hear
from hub.services import doorbell
from hub.services.delivery_outcomes import Outcome, settle
from hub.services.fan_out import fan_out
from hub.services.sender import Sender
from hub.services.webhook_secrets import Unreadable, keys_of, unseal

log = structlog.get_logger(__name__)

TASK = "hub.tasks.webhooks.deliver"
LEASE_SECONDS = 60
"""Longer than an attempt may take, with all that comes before and after it."""
PER_WEBHOOK = 4
"""So many requests to one webhook at a time: a slow receiver keeps no more than these waiting."""
IN_FLIGHT = 200
_SLOTS = 2
_LOCK = 7_305_001
_SHIFT_SECONDS = 20.0
_LINGER_SECONDS = 1.5
_RING_EVERY = 1.0
_POLL_SECONDS = 0.1

_last_ring = float("-inf")


def ring() -> None:
    """Wake a worker once the caller's transaction is safe; if nobody hears, beat sweeps."""
    transaction.on_commit(_ring)


def _ring() -> None:
    # Whoever is woken lingers for longer than we are silent, so nothing waits for the next ring.
    global _last_ring  # noqa: PLW0603 - one bell for the process
    if time.monotonic() - _last_ring < _RING_EVERY:
        return
    _last_ring = time.monotonic()
    doorbell.ring(TASK)


def drain(*, linger: float = _LINGER_SECONDS, shift: float = _SHIFT_SECONDS) -> int:
    """Deliver until nothing is due, then look on for ``linger`` seconds; answer how many attempts.

    After ``shift`` seconds nothing more is begun, so that other tasks have their turn.
    """
    with _slot() as is_ours, Sender() as sender:
        return _work(sender, linger, shift) if is_ours else 0


@contextmanager
def _slot() -> Iterator[bool]:
    """Two may drain at once, so that the one who is about to leave keeps nobody out."""
    taken = next((n for n in range(_SLOTS) if _lock("pg_try_advisory_lock", n)), None)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            _lock("pg_advisory_unlock", taken)


def _lock(function: str, slot: int) -> bool:
    row = sql.row(f"SELECT {function}(%s, %s)", [_LOCK, slot])
    return row is not None and bool(row[0])


def _work(sender: Sender, linger: float, shift: float) -> int:
    count, start = 0, time.monotonic()
    quiet_since = start
    while True:
        now = time.monotonic()
        may_begin = now - start < shift
        begun = _begin(sender) if may_begin else 0
        outcomes = sender.collect(_POLL_SECONDS)
        if outcomes:
            reach(Point.WEBHOOK_SENT)
            settle(outcomes)
            count += len(outcomes)
        if begun or outcomes:
            quiet_since = now
        elif not sender.in_flight and (not may_begin or now - quiet_since >= linger):
            break
    if not may_begin:
        _ring()
    return count


def _begin(sender: Sender) -> int:
    fanned = fan_out()
    claimed = _claim(IN_FLIGHT - sender.in_flight)
    if claimed:
        reach(Point.WEBHOOK_CLAIMED)
    repos = Repo.objects.in_bulk({one.event.repo_id for one in claimed if one.event is not None})
    for delivery in claimed:
        _send(sender, delivery, repos)
    return fanned + len(claimed)


# For each webhook as many as it has room for: one that has many waiting keeps out no other. One
# that rests is skipped; one that has failed often is tried with a single request. What has waited
# longest goes first. Webhooks for which nothing waits cost nothing: the index is hopped through.
_CLAIM = """
WITH RECURSIVE line AS (
    (SELECT webhook_id FROM hub_delivery WHERE state IN ('pending', 'sending')
    ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.webhook_id FROM hub_delivery d
        WHERE d.state IN ('pending', 'sending') AND d.webhook_id > line.webhook_id
        ORDER BY d.webhook_id LIMIT 1)
    FROM line WHERE line.webhook_id IS NOT NULL
),
due AS (
    SELECT d.id FROM line JOIN hub_webhook h ON h.id = line.webhook_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM hub_delivery s
        WHERE s.webhook_id = h.id AND s.state = 'sending' AND s.due > statement_timestamp()
    ) busy
    CROSS JOIN LATERAL (
        SELECT d.id, d.due FROM hub_delivery d
        WHERE d.webhook_id = h.id AND d.state IN ('pending', 'sending')
            AND d.due <= statement_timestamp()
        ORDER BY d.due
        LIMIT greatest(
            CASE WHEN h.failures >= 10 OR h.rests > 0 THEN 1 ELSE %(most)s END - busy.n, 0)
        FOR UPDATE SKIP LOCKED
    ) d
    WHERE h.disabled_at IS NULL AND (h.open_until IS NULL OR h.open_until <= statement_timestamp())
    ORDER BY d.due LIMIT %(limit)s
)
UPDATE hub_delivery d SET state = 'sending', attempt = attempt + 1,
    due = clock_timestamp() + make_interval(secs => %(lease)s)
FROM due WHERE d.id = due.id RETURNING d.id
"""


def _claim(limit: int) -> list[Delivery]:
    values = {"most": PER_WEBHOOK, "limit": max(limit, 0), "lease": LEASE_SECONDS}
    ids = [row[0] for row in sql.rows(_CLAIM, values)] if limit > 0 else []
    return list(
        Delivery.objects.filter(pk__in=ids)
        .select_related("event", "webhook__namespace__user__namespace")
        .order_by("pk")
    )


def _send(sender: Sender, delivery: Delivery, repos: Mapping[int, Repo]) -> None:
    webhook, event, now = delivery.webhook, delivery.event, timezone.now()
    if event is not None and not may_hear(webhook, event, repos.get(event.repo_id)):
        # The log is its owner's to read, so the body goes too.
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.SKIPPED, reason="no_access", body=b""
        )
        return
    try:
        url, made, body = _request(delivery, int(now.timestamp()))
    except Unreadable as reason:
        settle([Outcome(delivery, now, {}, Answer(error=str(reason)))])
        return
    sender.submit(
        url, made, body, lambda answer: Outcome(delivery, now, without_secrets(made), answer)
    )


def _request(delivery: Delivery, now: int) -> tuple[str, dict[str, str], bytes]:
    """URL, headers and body of an attempt, in the words of whom the webhook speaks to."""
    webhook, preset = delivery.webhook, Preset(delivery.webhook.preset)
    url, keys = unseal(webhook.url), keys_of(webhook)
    credential = unseal(webhook.credential) if webhook.credential is not None else ""
    message = Message(
        delivery.message_id,
        str(delivery.uuid),
        delivery.scope.rpartition(".")[0],
        presets.fit(preset, bytes(delivery.body)),
    )
    signed = headers(
        message,
        keys,
        now=now,
        agent=f"Weighhouse-Webhooks/{settings.VERSION}",
        https=url.startswith("https:"),
    )
    made = signed | presets.headers(preset, credential)
    return presets.with_credential(preset, url, credential), made, message.body
