"""Those who fan out, send, replay, delete and read at the same moment never wait in a ring."""

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from hub.models import Delivery, Event, Notification, Repo, Webhook, sql
from hub.outgoing.client import Answer
from hub.services import discussions, notifications, repos, webhooks
from hub.services.delivery_outcomes import Outcome, settle
from hub.services.fan_out import fan_out, new_message_id
from tests.cast import Cast, signed_in
from tests.hub.services.aside import Aside
from tests.hub.services.hooks import watching

pytestmark = pytest.mark.django_db(transaction=True)
_HELD = """
SELECT count(*) FROM pg_locks WHERE granted AND pid <> pg_backend_pid()
AND relation = 'hub_notification'::regclass AND mode = 'RowExclusiveLock'
"""


@pytest.fixture(autouse=True)
def allowed(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)


@pytest.fixture
def repo(cast: Cast) -> Repo:
    repo = cast.repo("ada/tiny")
    Event.objects.update(is_waiting=False)
    return repo


def watcher(cast: Cast) -> Webhook:
    url, by = "http://127.0.0.1:8080/hook", signed_in(cast.ada)
    return watching(url, cast.ada.namespace, by, [("model", "ada/tiny")])[0]


def waiting(webhook: Webhook) -> Delivery:
    message_id, scope = new_message_id(), "webhook.ping.update"
    return Delivery.objects.create(webhook=webhook, message_id=message_id, scope=scope, body=b"{}")


def test_who_writes_down_outcomes_keeps_nobody_from_fanning_out(cast: Cast, repo: Repo) -> None:
    sent = [waiting(watcher(cast)) for _ in range(2)]
    discussions.open_discussion(repo=repo, title="Why", text="?", by=signed_in(cast.cleo))

    with transaction.atomic():
        settle([Outcome(one, timezone.now(), {}, Answer(status=200)) for one in sent])
        assert Aside(fan_out, patience_ms=5000).joined() == 1

    assert Delivery.objects.filter(scope="discussion.create").count() == 2


def test_a_webhook_that_is_deleted_meanwhile_ends_no_fan_out(cast: Cast, repo: Repo) -> None:
    gone, stays = watcher(cast), watcher(cast)
    discussions.open_discussion(repo=repo, title="Why", text="?", by=signed_in(cast.cleo))

    with transaction.atomic():
        webhooks.delete(webhook=gone, by=signed_in(cast.ada))
        other = Aside(fan_out, patience_ms=60_000)
        other.until_it_waits()
    assert other.joined() == 1

    assert list(Delivery.objects.values_list("webhook_id", flat=True)) == [stays.pk]


def test_one_fans_out_at_a_time(cast: Cast, repo: Repo) -> None:
    watcher(cast)

    def open_one() -> None:
        discussions.open_discussion(repo=repo, title="Why", text="?", by=signed_in(cast.cleo))

    def open_another_and_fan_out() -> int:
        open_one()
        return fan_out()

    open_one()
    with transaction.atomic():
        assert fan_out() == 1
        assert Aside(open_another_and_fan_out, patience_ms=5000).joined() == 0
    assert fan_out() == 1


def test_what_is_told_of_anew_at_this_moment_is_not_taken_as_read(cast: Cast, repo: Repo) -> None:
    one, other = (
        discussions.open_discussion(repo=repo, title="Why", text="?", by=signed_in(cast.cleo))
        for _ in range(2)
    )
    fan_out()
    discussions.rename(discussion=other, title="How", by=signed_in(cast.cleo))

    with transaction.atomic():
        assert fan_out() == 1
        reader = signed_in(cast.ada)
        read = Aside(lambda: notifications.mark_read(by=reader), patience_ms=5000)
        assert read.joined() == 1

    unread = Notification.objects.filter(user=cast.ada, read_at=None)
    assert [note.discussion_id for note in unread] == [other.pk] != [one.pk]


def test_a_repo_that_is_deleted_meanwhile_is_waited_for_with_empty_hands(
    cast: Cast, repo: Repo
) -> None:
    one, other = (
        discussions.open_discussion(repo=repo, title="Why", text="?", by=signed_in(cast.cleo))
        for _ in range(2)
    )
    with transaction.atomic():
        repos.delete(repo=repo, by=signed_in(cast.ada))
        aside = Aside(fan_out, patience_ms=60_000)
        aside.until_it_waits()
        assert sql.rows("SELECT count(*) FROM hub_notification") == [(0,)]
        assert sql.rows(_HELD) == [(0,)]
    assert aside.joined() == 2

    assert not Notification.objects.filter(discussion_id__in=[one.pk, other.pk]).exists()
