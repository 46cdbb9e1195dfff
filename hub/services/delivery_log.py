"""Forget what was delivered long ago."""

from datetime import datetime, timedelta

from hub.models import Webhook, sql

KEEP = timedelta(days=30)
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
