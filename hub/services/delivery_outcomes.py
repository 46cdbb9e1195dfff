"""Write down what came of attempts: the log, the delivery's next step, the webhook's health."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.utils import timezone

from hub.models import Attempt, Delivery, Webhook, sql
from hub.outgoing import retrying
from hub.outgoing.client import Answer
from hub.outgoing.retrying import Next
from hub.services import webhook_health

MAX_KEPT_BYTES = 4096
_MAX_HEADERS = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt that is over."""

    delivery: Delivery
    started_at: datetime
    headers: dict[str, str]
    """Of the request, without secrets."""
    answer: Answer


@transaction.atomic
def settle(outcomes: Sequence[Outcome]) -> None:
    """Write down all of them, but for those of webhooks that were deleted meanwhile."""
    now = timezone.now()
    ids = {outcome.delivery.webhook_id for outcome in outcomes}
    # Not so strong that those who write deliveries for them would wait.
    locked = Webhook.objects.select_for_update(no_key=True).order_by("pk")
    webhooks = {webhook.pk: webhook for webhook in locked.filter(pk__in=ids)}
    kept = [outcome for outcome in outcomes if outcome.delivery.webhook_id in webhooks]
    Attempt.objects.bulk_create(map(_logged, kept))
    done = []
    for outcome in kept:
        follows = retrying.after(
            attempt=outcome.delivery.attempt,
            status=outcome.answer.status,
            is_late=outcome.answer.is_late,
            retry_after=dict(outcome.answer.headers).get("retry-after", ""),
            now=now,
            roll=random.random(),  # noqa: S311 - it spreads retries, and is no secret
        )
        if follows.is_done:
            done.append(outcome.delivery)
        else:
            _move_on(outcome, follows, now)
        webhook_health.note(
            webhooks[outcome.delivery.webhook_id], follows, began=outcome.started_at, now=now
        )
    _finish(done)
    Webhook.objects.bulk_update(webhooks.values(), webhook_health.FIELDS)


def _logged(outcome: Outcome) -> Attempt:
    answer = outcome.answer
    # The answers of machines inside are nothing that a user could read by any other way.
    shown = () if answer.is_inside else answer.headers[:_MAX_HEADERS]
    return Attempt(
        delivery=outcome.delivery,
        started_at=outcome.started_at,
        ms=answer.ms,
        status=answer.status,
        error=_error(answer),
        request_headers=outcome.headers,
        response_headers=[[name, value[:1000].replace("\0", "")] for name, value in shown],
        response_body=b"" if answer.is_inside else answer.body[:MAX_KEPT_BYTES],
        response_bytes=len(answer.body),
    )


def _error(answer: Answer) -> str:
    if answer.status and HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return "redirects are not followed: update the URL"
    return answer.error.replace("\0", "")


# In the order of their keys, so that no two who settle wait in a ring.
_FINISH = """
WITH ours AS (
    SELECT d.id FROM hub_delivery d
    JOIN unnest(%s::bigint[], %s::int[]) AS done (id, attempt) USING (id, attempt)
    WHERE d.state = 'sending' ORDER BY d.id FOR NO KEY UPDATE OF d
)
UPDATE hub_delivery SET state = 'done' WHERE id IN (SELECT id FROM ours)
"""


def _finish(done: Sequence[Delivery]) -> None:
    """Those of them that are still ours, all at once: nearly all attempts end like this."""
    if done:
        sql.run(_FINISH, [[one.pk for one in done], [one.attempt for one in done]])


def _move_on(outcome: Outcome, follows: Next, now: datetime) -> None:
    """Only if it is still ours: who was given up for dead has nothing more to say."""
    ours = Delivery.objects.filter(
        pk=outcome.delivery.pk, state=Delivery.State.SENDING, attempt=outcome.delivery.attempt
    )
    if follows.delay is None:
        ours.update(state=Delivery.State.FAILED, reason=_error(outcome.answer)[:200])
    else:
        due = now + timedelta(seconds=follows.delay)
        ours.update(state=Delivery.State.PENDING, due=due)
