"""Send again what was sent before: one delivery, or all that failed."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Max

from hub.models import Delivery, Webhook, sql
from hub.policies import check_can_own_webhooks
from hub.services import delivering
from hub.services.fan_out import new_message_id
from teams.errors import Conflict
from teams.policies import Principal

MOST = 10_000


@transaction.atomic
def replay(*, delivery: Delivery, by: Principal, new_id: bool = False) -> Delivery:
    """Send the same bytes once more, to the present URL; answer the new delivery.

    Receivers who remember ids skip what they had, unless it gets a new one.

    Raises:
        Conflict: the webhook is disabled, or the body was withheld.
    """
    check_can_own_webhooks(by, delivery.webhook.namespace)
    if delivery.webhook.disabled_at is not None:
        raise Conflict("The webhook is disabled.")
    if delivery.state == Delivery.State.SKIPPED:
        raise Conflict("It was not sent, and so cannot be sent again.")
    # Two who replay at once number theirs one after the other.
    Webhook.objects.select_for_update(no_key=True).get(pk=delivery.webhook_id)
    same = Delivery.objects.filter(webhook=delivery.webhook, event=delivery.event)
    last = same.aggregate(last=Max("replay_no"))["last"] or 0
    made = Delivery.objects.create(
        webhook=delivery.webhook,
        event=delivery.event,
        uuid=uuid4(),
        message_id=new_message_id() if new_id else delivery.message_id,
        scope=delivery.scope,
        body=bytes(delivery.body),
        replay_no=last + 1,
    )
    delivering.ring()
    return made


_REPLAY_FAILED = """
WITH failed AS MATERIALIZED (
    SELECT id FROM hub_delivery WHERE webhook_id = %s AND state = 'failed'
    AND created_at >= %s AND created_at <= %s ORDER BY id LIMIT %s FOR UPDATE)
UPDATE hub_delivery SET state = 'pending', attempt = 0, reason = '', due = now()
WHERE id IN (SELECT id FROM failed)
"""


@transaction.atomic
def replay_failed(*, webhook: Webhook, since: datetime, until: datetime, by: Principal) -> int:
    """Try again what failed for good in a span of time, 10,000 at most; answer how many.

    Raises:
        Conflict: the webhook is disabled.
    """
    check_can_own_webhooks(by, webhook.namespace)
    if webhook.disabled_at is not None:
        raise Conflict("The webhook is disabled.")
    count = sql.run(_REPLAY_FAILED, [webhook.pk, since, until, MOST])
    delivering.ring()
    return count
