"""Wire: the delivery log of a webhook, replay, ping and figures; beside the calls of ``HfApi``."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from hub.http.dates import iso
from hub.models import Attempt, Delivery, Webhook
from hub.outgoing import presets
from hub.outgoing.presets import Preset
from hub.queries.webhooks import DeliveryFilter, deliveries_of, delivery_of, stats_of
from hub.services import replays, webhooks
from hub.services.delivery_log import KEEP
from hub.wire.webhooks import OfWebhook
from teams.errors import Invalid, NotFound
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.names import number_in
from teams.roles import Action

PAGE = 100
_ACCEPTED = 202


def _summary(delivery: Delivery) -> dict[str, Any]:
    attempts = list(delivery.attempts.all())
    last = max(attempts, key=lambda one: one.pk, default=None)
    return {
        "id": str(delivery.uuid),
        "messageId": delivery.message_id,
        "event": delivery.scope,
        "status": delivery.state,
        "reason": delivery.reason,
        "createdAt": iso(delivery.created_at),
        "due": iso(delivery.due) if delivery.state == Delivery.State.PENDING else None,
        "attempts": len(attempts),
        "responseStatus": last.status if last else None,
        "ms": last.ms if last else None,
        "error": last.error if last else "",
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "startedAt": iso(attempt.started_at),
        "ms": attempt.ms,
        "status": attempt.status,
        "error": attempt.error,
        "request": {"headers": attempt.request_headers},
        "response": {
            "headers": attempt.response_headers,
            "body": bytes(attempt.response_body).decode(errors="replace"),
            "size": attempt.response_bytes,
        },
    }


def _moment(text: str, name: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid(f"{name} must be a date and time, such as 2026-03-01T12:00:00Z.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Deliveries(OfWebhook):
    """GET /api/settings/webhooks/{webhook}/deliveries, newest first."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        limit = limit_of(request, default=PAGE, most=PAGE)
        found = deliveries_of(self.webhook(), _filter_in(request), limit + 1)
        response = JsonAnswer([_summary(one) for one in found[:limit]])
        if len(found) > limit:
            with_next(response, request, cursor=str(found[limit - 1].pk))
        return response


def _filter_in(request: HttpRequest) -> DeliveryFilter:
    asked = request.GET
    cursor, state = asked.get("cursor", ""), asked.get("status", "")
    if state and state not in Delivery.State.values:
        raise Invalid(f"status must be one of {', '.join(Delivery.State.values)}.")
    since = asked.get("since", "")
    return DeliveryFilter(
        state=state,
        scope=asked.get("event", ""),
        since=_moment(since, "since") if since else None,
        before=number_in(cursor, "cursor") if cursor else None,
    )


class OfDelivery(OfWebhook):
    """What views of one delivery share."""

    def delivery(self) -> Delivery:
        try:
            uuid = UUID(self.kwargs["delivery"])
        except ValueError:
            raise NotFound("There is no such delivery.") from None
        return delivery_of(self.webhook(), uuid)


class OneDelivery(OfDelivery):
    """GET /api/settings/webhooks/{webhook}/deliveries/{delivery}: all that went to and fro."""

    authz = {"get": Action.SIGN_IN}

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        found = self.delivery()
        attempts = sorted(found.attempts.all(), key=lambda one: one.pk)
        return JsonAnswer(
            _summary(found)
            | {
                "body": presets.fit(Preset(found.webhook.preset), bytes(found.body)).decode(),
                "attempts": [_attempt(one) for one in attempts],
            }
        )


class Replay(OfDelivery):
    """POST /api/settings/webhooks/{webhook}/deliveries/{delivery}/replay."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        new_id = Body.of(request).boolean("newId") or False
        made = replays.replay(delivery=self.delivery(), by=self.principal, new_id=new_id)
        return JsonAnswer({"id": str(made.uuid), "messageId": made.message_id}, status=_ACCEPTED)


class ReplayFailed(OfWebhook):
    """POST /api/settings/webhooks/{webhook}/replay: what failed for good, once more."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        body = Body.of(request)
        if body.text("status", "failed") != "failed":
            raise Invalid('"status" can only be "failed".')
        now = timezone.now()
        since, until = body.text("since", ""), body.text("until", "")
        count = replays.replay_failed(
            webhook=self.webhook(),
            since=_moment(since, '"since"') if since else now - KEEP,
            until=_moment(until, '"until"') if until else now,
            by=self.principal,
        )
        return JsonAnswer({"replayed": count}, status=_ACCEPTED)


class Ping(OfWebhook):
    """POST /api/settings/webhooks/{webhook}/ping."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, _request: HttpRequest, **_: object) -> HttpResponse:
        made = webhooks.ping(webhook=self.webhook(), by=self.principal)
        return JsonAnswer({"id": str(made.uuid), "messageId": made.message_id}, status=_ACCEPTED)


class Stats(OfWebhook):
    """GET /api/settings/webhooks/{webhook}/stats: figures of the last 24 hours, and health."""

    authz = {"get": Action.SIGN_IN}

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        webhook = self.webhook()
        stats = stats_of(webhook)
        return JsonAnswer(
            {
                "deliveries": stats.deliveries,
                "overflown": stats.overflown,
                "attempts": stats.attempts,
                "p50Ms": stats.p50_ms,
                "p95Ms": stats.p95_ms,
                "failures": webhook.failures,
                "breaker": _breaker(webhook),
                "openUntil": iso(webhook.open_until) if webhook.open_until else None,
            }
        )


def _breaker(webhook: Webhook) -> str:
    if webhook.open_until is None:
        return "closed"
    return "open" if webhook.open_until > timezone.now() else "half-open"
