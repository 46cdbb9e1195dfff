"""Fixtures of the wire: the hub with its people, each client, their stories, and plain HTTP."""

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.wire import clients
from tests.wire.clients import VERSIONS, Client
from tests.wire.plain import Plain
from tests.wire.record import PLAIN, Record
from tests.wire.stories import Stories

OWNER, STRANGER, ORGANISATION = "ada", "cleo", "acme"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-wire-table", action="store_true", help="write docs/wire.md")


@pytest.fixture(scope="session")
def hub(live: LiveServer) -> LiveServer:
    """The server with Ada, who owns everything, and Cleo, a stranger."""
    return populated(live)


def populated(live: LiveServer) -> LiveServer:
    live.create_user(OWNER)
    live.create_user(STRANGER)
    live.create_org(ORGANISATION, owner=OWNER)
    return live


@pytest.fixture(scope="session", params=VERSIONS)
def client(request: pytest.FixtureRequest) -> Client:
    return clients.client(request.param)


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest, hub: LiveServer) -> Iterator[Record]:
    """Which requests of which client the server answered."""
    kept = Record(hub.log)
    yield kept
    kept.note("")
    if request.config.getoption("write_wire_table"):
        kept.write()


@pytest.fixture(scope="session")
def stories(hub: LiveServer, record: Record, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return Stories(hub, record, tmp_path_factory.mktemp("stories"))


@pytest.fixture
def plain(hub: LiveServer, record: Record) -> Iterator[Plain]:
    """HTTP without a client library, for what no library sends."""
    with record.by(PLAIN):
        yield Plain(hub.url, {"": "", OWNER: hub.token(OWNER), STRANGER: hub.token(STRANGER)})


@pytest.fixture
def reading_token(hub: LiveServer) -> str:
    """A token of Ada's that may only read."""
    return hub.token(OWNER, "read")
