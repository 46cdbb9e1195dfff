"""Forget what was delivered long ago; give up the oldest of what waits in a line too long."""

from datetime import datetime, timedelta

import structlog

from hub.models import Webhook, sql
from teams.names import public_id

log = structlog.get_logger(__name__)

KEEP = timedelta(days=30)
MAX_WAITING = 100_000
"""So many deliveries may wait for one webhook."""
OVERFLOW = "overflow"
_AT_ONCE = 5000

_FORGET_DELIVERIES = """
DELETE FROM hub_delivery WHERE id IN (
    SELECT id FROM hub_delivery WHERE created_at < %s ORDER BY created_at LIMIT %s)
"""
_FORGET_EVENTS = """
DELETE FROM hub_event WHERE id IN (
    SELECT e.id FROM hub_event e WHERE e.created_at < %s AND NOT e.is_waiting
    AND NOT EXISTS (SELECT FROM hub_delivery d WHERE d.event_id = e.id)
    ORDER BY e.created_at LIMIT %s)
"""
_FORGET_ATTEMPTS = """
DELETE FROM hub_attempt a USING hub_delivery d
WHERE d.id = a.delivery_id AND d.created_at < %s
"""


def forget(*, now: datetime) -> None:
    """Delete deliveries and events of more than 30 days ago, and secrets that sign no more."""
    past = now - KEEP
    sql.run(_FORGET_ATTEMPTS, [past])
    for query in (_FORGET_DELIVERIES, _FORGET_EVENTS):
        while sql.run(query, [past, _AT_ONCE]) == _AT_ONCE:
            pass
    Webhook.objects.filter(old_secret_until__lt=now).update(old_secret=None, old_secret_until=None)


_TOO_LONG = """
SELECT webhook_id, count(*) - %(most)s FROM hub_delivery
WHERE state IN ('pending', 'sending') GROUP BY webhook_id HAVING count(*) > %(most)s
"""
# Materialized, as wherever a limit goes with locks: a plan that asked again and again for the first
# few that are left would come to all of them.
_GIVE_UP = """
WITH oldest AS MATERIALIZED (
    SELECT id FROM hub_delivery WHERE webhook_id = %(webhook)s AND state = 'pending'
    ORDER BY id LIMIT %(excess)s FOR UPDATE SKIP LOCKED)
UPDATE hub_delivery SET state = 'failed', reason = %(reason)s
WHERE id IN (SELECT id FROM oldest)
"""


def bound_queues(*, most: int = MAX_WAITING) -> int:
    """Fail the oldest of what waits, for each webhook for which more than ``most`` do.

    They stand in its log, and can be replayed as what failed for good. Answer how many.
    """
    given_up = 0
    for webhook, excess in sql.rows(_TOO_LONG, {"most": most}):
        values = {"webhook": webhook, "excess": excess, "reason": OVERFLOW}
        count = sql.run(_GIVE_UP, values)
        log.warning("webhook_queue_overflows", webhook=public_id(webhook), given_up=count)
        given_up += count
    return given_up
