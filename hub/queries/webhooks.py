"""Reads of webhooks: those of an owner, one by its id, its deliveries, its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from hub.models import Delivery, Webhook, sql
from hub.policies import can_see_webhooks, check_can_own_webhooks
from teams.errors import NotFound
from teams.models import Namespace
from teams.names import number_in_id
from teams.policies import Principal
from teams.roles import Action


def webhooks_of(owner: Namespace, *, reader: Principal) -> QuerySet[Webhook]:
    """The webhooks of a user or an organisation, oldest first.

    Raises:
        Forbidden: ``reader`` may not see them.
    """
    check_can_own_webhooks(reader, owner, Action.WEBHOOKS_SEE)
    return _whole().filter(namespace=owner).order_by("pk")


def webhook_by_id(text: str, *, reader: Principal) -> Webhook:
    """Find one by its public id.

    Raises:
        NotFound: there is none, or it is not for ``reader`` to see.
    """
    found = _whole().filter(pk=number_in_id(text)).first()
    if found is None or not can_see_webhooks(reader, found.namespace):
        raise NotFound("Webhook not found")
    return found


def _whole() -> QuerySet[Webhook]:
    return Webhook.objects.select_related("namespace").prefetch_related("watches")


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries of a log are wanted."""

    state: str = ""
    scope: str = ""
    since: datetime | None = None
    before: int | None = None
    """Older than this one, by its number: where the last page ended."""


def deliveries_of(webhook: Webhook, wanted: DeliveryFilter, limit: int) -> Sequence[Delivery]:
    """The log of ``webhook``, newest first."""
    found = webhook.deliveries.prefetch_related("attempts").order_by("-pk")
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.scope:
        found = found.filter(scope__startswith=wanted.scope)
    if wanted.since:
        found = found.filter(created_at__gte=wanted.since)
    if wanted.before is not None:
        found = found.filter(pk__lt=wanted.before)
    return list(found[:limit])


def delivery_of(webhook: Webhook, uuid: UUID) -> Delivery:
    """Find one delivery of ``webhook``.

    Raises:
        NotFound: it has no such delivery.
    """
    found = webhook.deliveries.prefetch_related("attempts").filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


_STATS = """
SELECT (SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM (
    SELECT state, count(*) AS n FROM hub_delivery
    WHERE webhook_id = %(id)s AND created_at > now() - interval '1 day' GROUP BY state) s),
    (SELECT count(*) FROM hub_delivery WHERE webhook_id = %(id)s AND reason = 'overflow'
        AND created_at > now() - interval '1 day'),
    count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY a.ms),
    percentile_disc(0.95) WITHIN GROUP (ORDER BY a.ms)
FROM hub_attempt a JOIN hub_delivery d ON d.id = a.delivery_id
WHERE d.webhook_id = %(id)s AND d.created_at > now() - interval '1 day'
"""


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of the last 24 hours."""

    deliveries: dict[str, Any]
    """How many are in which state."""
    overflown: int
    """Given up because too many waited."""
    attempts: int
    p50_ms: int | None
    p95_ms: int | None


def stats_of(webhook: Webhook) -> Stats:
    """Count what was sent in the last 24 hours."""
    row = sql.row(_STATS, {"id": webhook.pk})
    return Stats(*row) if row else Stats({}, 0, 0, None, None)
