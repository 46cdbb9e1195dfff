"""While PostgreSQL is away every door says so and when to come back; nothing is called a bug."""

from collections.abc import Iterator
from time import monotonic

import pytest

from tests.faults.ledger import Ledger
from tests.live import LiveServer
from tests.wire.plain import Answer, Plain

pytestmark = pytest.mark.faults


@pytest.fixture
def away(durable: LiveServer, ledger: Ledger) -> Iterator[LiveServer]:
    """The server while its database is gone; it comes back afterwards."""
    durable.kill_postgres()
    yield durable
    durable.start_postgres()
    durable.wait_ready()


def asked(live: LiveServer, path: str, cookie: str = "") -> Answer:
    headers = {"Cookie": cookie} if cookie else {}
    return Plain(live.url, {"": ""})("GET", path, who="", headers=headers)


@pytest.mark.parametrize("path", ["/api/models", "/admin/some/resolve/main/config.json"])
def test_clients_hear_it_in_json(away: LiveServer, path: str) -> None:
    told = asked(away, path)

    assert (told.status, told.headers["Retry-After"]) == (503, "5")
    assert told.json == {"error": "A part of this hub does not answer. Try again in a moment."}


def test_programs_hear_it_as_a_problem(away: LiveServer) -> None:
    told = asked(away, "/api/v1/search?q=any")

    assert (told.status, told.headers["Retry-After"]) == (503, "5")
    assert told.json["title"] == "Service Unavailable"


@pytest.mark.parametrize("cookie", ["", "session=whatever"])
def test_people_see_a_page(away: LiveServer, cookie: str) -> None:
    told = asked(away, "/", cookie)

    assert (told.status, told.headers["Retry-After"]) == (503, "5")
    assert b"Back in a moment" in told.body


def test_it_serves_again_once_the_database_is_back(durable: LiveServer, ledger: Ledger) -> None:
    durable.kill_postgres()
    assert asked(durable, "/api/models").status == 503
    durable.start_postgres()
    durable.wait_ready()

    assert asked(durable, "/api/models").status == 200


def test_every_process_serves_at_once_after_a_long_absence(
    durable: LiveServer, ledger: Ledger
) -> None:
    durable.kill_postgres()
    until = monotonic() + 18
    while monotonic() < until:
        assert asked(durable, "/api/models").status == 503
    durable.start_postgres()
    durable.wait_ready()

    assert {asked(durable, "/api/models").status for _ in range(20)} == {200}
