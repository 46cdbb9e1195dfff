"""When a webhook rests, who is warned, and what becomes of a line that grows too long."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from hub.models import Delivery, Notification, Webhook, sql
from hub.outgoing.client import Answer
from hub.outgoing.retrying import ENOUGH_ATTEMPTS
from hub.services import delivery_log, webhooks
from hub.services.delivery_outcomes import Outcome, settle
from hub.services.fan_out import new_message_id
from teams.models import User
from tests.cast import Cast, signed_in
from tests.hub.services.hooks import Sink, deliver, listening, watching
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with listening() as sink:
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS = frozenset({sink.port})
        yield sink


@pytest.fixture
def webhook(cast: Cast, sink: Sink) -> Webhook:
    return watching(sink.url, cast.acme.namespace, signed_in(cast.ada), [])[0]


def waiting(webhook: Webhook, count: int) -> list[Delivery]:
    return Delivery.objects.bulk_create(
        Delivery(
            webhook=webhook, message_id=new_message_id(), scope="webhook.ping.update", body=b"{}"
        )
        for _ in range(count)
    )


def attempted(webhook: Webhook, statuses: list[int], began: datetime | None = None) -> Webhook:
    """Settle one attempt for each status, and answer the webhook as it is then."""
    began = began or timezone.now()
    settle(
        [
            Outcome(one, began, {}, Answer(status=status))
            for one, status in zip(waiting(webhook, len(statuses)), statuses, strict=True)
        ]
    )
    webhook.refresh_from_db()
    return webhook


def told(user: User) -> list[str]:
    found = Notification.objects.filter(user=user, webhook__isnull=False, read_at=None)
    return [one.told for one in found]


def test_half_of_enough_attempts_within_five_minutes_let_it_rest(webhook: Webhook) -> None:
    attempted(webhook, [500, 200] * (ENOUGH_ATTEMPTS // 2 - 1))
    assert (webhook.rests, webhook.open_until) == (0, None)

    attempted(webhook, [500, 200])

    assert (webhook.rests, webhook.failures) == (1, 0)
    assert webhook.open_until is not None
    assert webhook.open_until > timezone.now() + timedelta(seconds=50)


def test_less_than_half_or_longer_ago_does_not(webhook: Webhook) -> None:
    attempted(webhook, [500, 200, 200] * ENOUGH_ATTEMPTS)
    assert webhook.rests == 0

    Webhook.objects.update(window_began=timezone.now() - timedelta(minutes=6))
    attempted(webhook, [500] * 5)
    assert (webhook.rests, webhook.window_attempts) == (0, 5)


def test_after_a_rest_one_is_tried_alone_and_its_success_ends_it(
    webhook: Webhook, sink: Sink
) -> None:
    attempted(webhook, [500, 200] * (ENOUGH_ATTEMPTS // 2))
    Delivery.objects.all().delete()
    waiting(webhook, 3)
    assert deliver() == 0

    Webhook.objects.update(open_until=timezone.now())
    sink.answers = [(500, {})]
    assert deliver() == 1
    webhook.refresh_from_db()
    assert webhook.rests == 2
    assert webhook.open_until is not None
    assert webhook.open_until > timezone.now() + timedelta(seconds=100)

    Webhook.objects.update(open_until=timezone.now())
    assert deliver() >= 2
    assert list(Webhook.objects.values_list("rests", "open_until")) == [(0, None)]


def test_a_success_that_began_before_the_rest_does_not_end_it(webhook: Webhook) -> None:
    began = timezone.now()
    attempted(webhook, [500, 200] * (ENOUGH_ATTEMPTS // 2), began)

    attempted(webhook, [200], began)

    assert webhook.rests == 1
    assert webhook.open_until is not None


def test_admins_are_warned_at_half_time_and_told_of_the_end(cast: Cast, webhook: Webhook) -> None:
    attempted(webhook, [500] * 10)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=3))
    attempted(webhook, [500])
    attempted(webhook, [500])
    assert (told(cast.ada), told(cast.ben)) == (["webhook.failing"], [])
    assert Notification.objects.get().count == 1

    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=5))
    attempted(webhook, [500])

    assert webhook.disabled_at is not None
    assert told(cast.ada) == ["webhook.disabled"]


def test_the_notice_is_on_the_page_and_in_the_api_and_goes_with_the_webhook(
    cast: Cast, webhook: Webhook
) -> None:
    attempted(webhook, [410])
    ada = caller(cast.ada)

    (one,) = ada.get("/api/v1/notifications").json()["results"]
    assert (one["event"], one["webhook"], one["repo"]) == (
        "webhook.disabled",
        webhook.public_id,
        None,
    )
    ada.force_login(cast.ada)
    page = ada.get("/notifications", headers={"Authorization": ""}).content.decode()
    assert "disabled the webhook" in page
    assert f"/settings/webhooks/{webhook.public_id}" in page

    webhooks.delete(webhook=webhook, by=signed_in(cast.ada))
    assert Notification.objects.count() == 0


def test_who_is_enabled_again_begins_anew(cast: Cast, webhook: Webhook) -> None:
    attempted(webhook, [500, 410])

    webhooks.enable(webhook=webhook, by=signed_in(cast.ada))

    webhook.refresh_from_db()
    assert (webhook.disabled_at, webhook.open_until, webhook.failures) == (None, None, 0)
    assert (webhook.rests, webhook.window_attempts) == (0, 0)


def test_of_a_line_that_is_too_long_the_oldest_fail_and_can_be_replayed(
    cast: Cast, webhook: Webhook
) -> None:
    made = waiting(webhook, 12)
    sending = made[0].pk
    Delivery.objects.filter(pk=sending).update(state="sending")

    assert delivery_log.bound_queues(most=10) == 2

    failed = Delivery.objects.filter(state="failed", reason="overflow")
    assert [one.pk for one in failed.order_by("pk")] == [made[1].pk, made[2].pk]
    assert delivery_log.bound_queues(most=10) == 0
    stats = caller(cast.ada).get(f"/api/settings/webhooks/{webhook.public_id}/stats").json()
    assert (stats["deliveries"]["failed"], stats["overflown"]) == (2, 2)


def test_no_more_fail_than_are_too_many_however_postgresql_goes_about_it(webhook: Webhook) -> None:
    waiting(webhook, 12)
    for way in ("hashagg", "hashjoin", "mergejoin", "sort", "material", "indexscan", "bitmapscan"):
        sql.run(f"SET LOCAL enable_{way} = off")

    assert delivery_log.bound_queues(most=10) == 2
