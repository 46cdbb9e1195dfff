"""Rate limits: told in the headers that the public client reads, and shared by all processes."""

import time

import pytest
from django.test import Client
from huggingface_hub.utils._http import parse_ratelimit_headers
from pytest_django import Settings

from teams.http import limits
from teams.services import rates, tokens
from tests.cast import Cast

WHOAMI = "/api/whoami-v2"
LIST = "/api/models"


@pytest.fixture(autouse=True)
def window(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three requests for strangers, five for users, in a window that no other test counts in."""
    settings.RATE_ANONYMOUS = {"api": 3, "pages": 2}
    settings.RATE_USER = {"api": 5}
    monkeypatch.setattr(limits, "_window", limits._Window(0))
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)


@pytest.mark.django_db
def test_the_public_client_reads_where_it_stands() -> None:
    told = parse_ratelimit_headers(dict(Client().get(LIST).items()))

    assert told is not None
    assert (told.resource_type, told.remaining, told.limit) == ("api", 2, 3)
    assert told.window_seconds == 300
    assert 0 < told.reset_in_seconds <= 300


@pytest.mark.django_db
def test_one_too_many_is_refused_and_told_when_to_come_again() -> None:
    client = Client()
    codes = [client.get(LIST).status_code for _ in range(3)]

    refused = client.get(LIST)
    told = parse_ratelimit_headers(dict(refused.items()))

    assert codes == [200, 200, 200]
    assert refused.status_code == 429
    assert told is not None
    assert told.remaining == 0
    assert refused["Retry-After"] == str(told.reset_in_seconds)
    assert "Sign in" in refused.json()["error"]


@pytest.mark.django_db
def test_each_door_counts_for_itself_and_speaks_its_own_language() -> None:
    client = Client()
    for _ in range(4):
        client.get(LIST)

    assert client.get("/login").status_code == 200
    assert client.get("/login").status_code == 200
    page = client.get("/login")
    assert page.status_code == 429
    assert "text/html" in page["Content-Type"]
    problem = client.get("/api/v1/search?q=x")
    assert (problem.status_code, problem["Content-Type"]) == (429, "application/problem+json")
    assert client.get("/healthz").status_code == 200


def test_a_user_counts_as_one_with_all_tokens(cast: Cast) -> None:
    secrets = [tokens.issue(user=cast.ada, name=name)[1] for name in "ab"]
    clients = [Client(headers={"Authorization": f"Bearer {secret}"}) for secret in secrets]

    codes = [clients[number % 2].get(WHOAMI).status_code for number in range(6)]

    assert codes == [200] * 5 + [429]
    ben = Client(headers={"Authorization": f"Bearer {tokens.issue(user=cast.ben, name='t')[1]}"})
    assert ben.get(WHOAMI).status_code == 200


@pytest.mark.django_db
def test_wrong_credentials_count_for_their_address() -> None:
    client = Client(headers={"Authorization": "Bearer wh_nonsense"})

    codes = [client.get(WHOAMI).status_code for _ in range(4)]

    assert codes == [401, 401, 401, 429]


@pytest.mark.django_db
def test_processes_know_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Client().get(LIST)
    monkeypatch.setattr(limits, "_window", limits._Window(0))

    assert Client().get(LIST).status_code == 429


@pytest.mark.django_db
def test_addresses_of_one_network_count_together_and_others_do_not() -> None:
    for number in range(4):
        Client(REMOTE_ADDR=f"2001:db8::{number + 1}").get(LIST)

    assert Client(REMOTE_ADDR="2001:db8::99").get(LIST).status_code == 429
    assert Client(REMOTE_ADDR="2001:db8:0:1::1").get(LIST).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("peer", "told", "counted"),
    [
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "192.0.2.1, 192.0.2.2", "192.0.2.2"),
        ("127.0.0.1", "192.0.2.1, 127.0.0.1", "192.0.2.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("198.51.100.1", "192.0.2.1", "198.51.100.1"),
    ],
)
def test_only_our_proxies_say_who_asks(peer: str, told: str, counted: str) -> None:
    for _ in range(3):
        Client(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=told).get(LIST)

    assert Client(REMOTE_ADDR=counted).get(LIST).status_code == 429


def test_old_windows_are_forgotten(db: None) -> None:
    rates.add("x", 5, 3)
    assert rates.add("x", 5, 2) == 5

    rates.forget(now=6 * rates.WINDOW_SECONDS)

    assert rates.add("x", 5, 1) == 1
