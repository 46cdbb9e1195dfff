"""A worker may die with deliveries in hand: each event arrives at least once, none is made up."""

import secrets
from collections import Counter
from collections.abc import Iterator

import pytest

from hub.crashpoints import VARIABLE, Point
from tests.hub.services.hooks import Sink, listening
from tests.live import LiveServer, wait_until
from tests.wire.plain import Plain

pytestmark = pytest.mark.faults

N_COMMITS = 12
PLAN = [Point.WEBHOOK_CLAIMED, Point.WEBHOOK_SENT, Point.WEBHOOK_CLAIMED, Point.WEBHOOK_SENT]
LOST = "exited with 'signal 9"
"""What Celery says of a child that was killed."""
SECONDS = 120.0
# As if a minute had passed: the leases of the dead are over, and so is every wait.
PASS_TIME = (
    "from django.utils import timezone; from hub.models import Delivery, Event, Webhook; "
    "Delivery.objects.filter(state__in=['sending', 'pending']).update(due=timezone.now()); "
    "Webhook.objects.update(open_until=None); "
    "waiting = Event.objects.filter(is_waiting=True).count(); "
    "print(waiting + Delivery.objects.exclude(state='done').count())"
)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


@pytest.fixture
def hub(sink: Sink) -> Iterator[LiveServer]:
    environ = {
        "WEIGHHOUSE_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
        "WEIGHHOUSE_WEBHOOK_PORTS": str(sink.port),
    }
    with LiveServer(environ=environ, durable=True) as live:
        yield live


def test_every_event_arrives_though_workers_die_in_the_middle(hub: LiveServer, sink: Sink) -> None:
    plain = Plain(hub.url, {"ada": hub.token()})
    watched = {"url": sink.url, "watched": [{"type": "user", "name": "admin"}]}
    assert plain("POST", "/api/settings/webhooks", watched).status == 200
    repo = plain.create(f"admin/told-{secrets.token_hex(4)}")
    heads = {
        plain.commit(repo, ("file", {"path": f"{n}.txt", "content": "eA=="})).json["commitOid"]
        for n in range(N_COMMITS)
    }

    hub.start_workers(**{VARIABLE: ",".join(f"{point}:1" for point in PLAN)})
    wait_until(
        lambda: hub.manage("shell", "-v", "0", "-c", PASS_TIME) == "0", SECONDS, "all deliveries"
    )
    hub.kill_workers()

    assert hub.told().count(LOST) == len(PLAN)
    moved = Counter(
        one["newSha"]
        for got in sink.got
        for one in got.json.get("updatedRefs", ())
        if one["newSha"]
    )
    assert heads <= set(moved)
    ids = {(got.json["seq"], got.headers["webhook-id"]) for got in sink.got}
    assert len(ids) == len({seq for seq, _ in ids}) == N_COMMITS + 2
