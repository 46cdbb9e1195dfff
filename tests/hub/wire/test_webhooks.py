"""What our own calls add to those of the client: log, replay, ping, rotation; and who may."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from hub.models import Delivery
from tests.cast import Cast
from tests.hub.services.hooks import Sink, deliver, listening
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db
ALL = "/api/settings/webhooks"


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with listening() as sink:
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS = frozenset({sink.port})
        yield sink


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, {} if body is None else body, content_type="application/json")


def made_by(client: Client, url: str, **more: Any) -> str:
    answer = post(client, ALL, {"url": url, "watched": [{"type": "user", "name": "ada"}], **more})
    assert answer.status_code == 200, answer.content
    return f"{ALL}/{answer.json()['webhook']['id']}"


def test_a_ping_is_found_in_the_log_and_can_be_replayed(cast: Cast, sink: Sink) -> None:
    ada = caller(cast.ada)
    one = made_by(ada, sink.url)

    ping = post(ada, f"{one}/ping")
    deliver()
    again = post(ada, f"{one}/deliveries/{ping.json()['id']}/replay")
    anew = post(ada, f"{one}/deliveries/{ping.json()['id']}/replay", {"newId": True})
    deliver()

    assert (ping.status_code, again.status_code, anew.status_code) == (202, 202, 202)
    ids = [got.headers["webhook-id"] for got in sink.got]
    assert ids[0] == ping.json()["messageId"]
    assert sorted(ids[1:]) == sorted([ids[0], anew.json()["messageId"]])
    assert len({got.body for got in sink.got}) == 1
    log = ada.get(f"{one}/deliveries").json()
    assert [found["status"] for found in log] == ["done"] * 3
    shown = ada.get(f"{one}/deliveries/{log[-1]['id']}").json()
    (attempt,) = shown["attempts"]
    assert shown["body"].encode() == sink.got[0].body
    assert attempt["status"] == 200
    assert "webhook-signature" in attempt["request"]["headers"]
    stats = ada.get(f"{one}/stats").json()
    assert (stats["deliveries"], stats["attempts"]) == ({"done": 3}, 3)
    assert stats["breaker"] == "closed"


def test_the_log_comes_in_pages_and_by_what_is_asked_for(cast: Cast, sink: Sink) -> None:
    ada = caller(cast.ada)
    one = made_by(ada, sink.url)
    for _ in range(3):
        post(ada, f"{one}/ping")
    log = f"{one}/deliveries"

    first = ada.get(f"{log}?limit=2")
    second = ada.get(first["Link"].split(">")[0].removeprefix("<http://testserver"))

    assert (len(first.json()), len(second.json())) == (2, 1)
    assert "Link" not in second
    for query, count in {
        "status=pending": 3,
        "status=done": 0,
        "event=webhook.ping": 3,
        "event=repo": 0,
        "since=2099-01-01T00:00:00Z": 0,
    }.items():
        assert len(ada.get(f"{log}?{query}").json()) == count, query
    for query in ("cursor=x", "status=lost", "since=soon", "since=2026-13-01T00:00:00Z", "limit=0"):
        assert ada.get(f"{log}?{query}").status_code == 400, query


def test_what_failed_is_replayed_at_once(cast: Cast, sink: Sink) -> None:
    ada = caller(cast.ada)
    one = made_by(ada, sink.url)
    for _ in range(3):
        post(ada, f"{one}/ping")
    Delivery.objects.update(state="failed", attempt=10)

    answer = post(ada, f"{one}/replay", {"status": "failed"})
    deliver()

    assert (answer.status_code, answer.json()) == (202, {"replayed": 3})
    assert len(sink.got) == 3


def test_secrets_are_rotated_in_two_steps(cast: Cast, sink: Sink) -> None:
    ada = caller(cast.ada)
    one = made_by(ada, sink.url)

    early = post(ada, f"{one}/secrets/promote")
    added = post(ada, f"{one}/secrets")
    promoted = post(ada, f"{one}/secrets/promote", {"overlap": 0})

    assert early.status_code == 409
    assert added.json()["signingSecret"].startswith("whsec_")
    assert promoted.status_code == 200
    assert post(ada, f"{one}/secrets/promote", {"overlap": 10**9}).status_code == 400


def test_the_log_hides_the_shared_token(cast: Cast, sink: Sink) -> None:
    ada = caller(cast.ada)
    one = made_by(ada, f"https://127.0.0.1:{sink.port}/", secret="hunter2hunter2")
    post(ada, f"{one}/ping")

    deliver()

    (found,) = ada.get(f"{one}/deliveries").json()
    shown = ada.get(f"{one}/deliveries/{found['id']}")
    assert "hunter2" not in shown.content.decode()
    assert shown.json()["attempts"][0]["request"]["headers"]["X-Webhook-Secret"] == "(hidden)"


def test_nobody_else_finds_a_webhook(cast: Cast, sink: Sink) -> None:
    one = made_by(caller(cast.ada), sink.url, secret="hunter2")
    reading = caller(cast.ada, "read")

    for path in (one, f"{one}/deliveries", f"{one}/stats"):
        assert caller(cast.cleo).get(path).status_code == 404
        assert Client().get(path).status_code == 401
    assert caller(cast.cleo).delete(one).status_code == 404
    assert reading.delete(one).status_code == 403
    assert reading.get(one).json()["webhook"]["secret"] is None
    assert [found["id"] for found in caller(cast.cleo).get(ALL).json()] == []


def test_webhooks_of_an_organisation_are_for_its_admins(cast: Cast, sink: Sink) -> None:
    body = {"url": sink.url, "watched": [{"type": "org", "name": "acme"}], "owner": "acme"}

    assert post(caller(cast.ben), ALL, body).status_code == 403
    assert post(caller(cast.ada), ALL, body).status_code == 200
    assert len(caller(cast.ada).get(f"{ALL}?owner=acme").json()) == 1
    assert caller(cast.ben).get(f"{ALL}?owner=acme").status_code == 403
    assert caller(cast.ada).get(ALL).json() == []


def test_a_hidden_repo_cannot_be_watched_and_reads_like_a_missing_one(cast: Cast) -> None:
    cast.repo("ada/secret", private=True)

    answers = [
        post(
            caller(cast.cleo),
            ALL,
            {"url": "https://a.example/", "watched": [{"type": "model", "name": name}]},
        )
        for name in ("ada/secret", "ada/nothing")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": 5},
        {"url": "ftp://a.example/"},
        {"url": "https://u:p@a.example/"},
        {"url": "https://a.example/\n"},
        {"jobSourceId": "1"},
        {"url": "https://a.example/", "watched": "ada"},
        {"url": "https://a.example/", "watched": [{"type": "user"}]},
        {"url": "https://a.example/", "watched": [{"type": "bucket", "name": "ada/x"}]},
        {"url": "https://a.example/", "watched": [{"type": "org", "name": "ada"}]},
        {"url": "https://a.example/", "watched": [{"type": "model", "name": "../x"}]},
        {"url": "https://a.example/", "domains": ["moon"]},
        {"url": "https://a.example/", "domains": [["repo"]]},
        {"url": "https://a.example/", "events": ["moon"]},
        {"url": "https://a.example/", "secret": "häslich"},
        {"url": "https://a.example/", "secret": "a\r\nX: y"},
        {"url": "https://a.example/", "refs": [""]},
        {"url": "https://a.example/", "paths": ["a\0b"]},
        {"url": "https://a.example/", "paths": ["*"] * 51},
    ],
)
def test_what_cannot_be_is_refused(cast: Cast, body: dict[str, Any]) -> None:
    answer = post(caller(cast.ada), ALL, body)

    assert answer.status_code == 400, answer.content
    assert caller(cast.ada).get(ALL).json() == []


@pytest.mark.parametrize("webhook", ["x", "0" * 24, "f" * 24, "1", "%00"])
def test_no_webhook_has_such_an_id(cast: Cast, webhook: str) -> None:
    assert caller(cast.ada).get(f"{ALL}/{webhook}").status_code in {400, 404}
