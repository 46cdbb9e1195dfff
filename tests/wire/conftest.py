"""Fixtures of the wire: the hub with its people, each client, their stories, and plain HTTP.

With ``WIRE_TOPOLOGY=proxy`` all of it runs against the hub as it is deployed, with ``bucket``
against one whose large files lie in S3.
"""

import os
from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.s3 import RadosGateway
from tests.wire import clients
from tests.wire.clients import OURS, VERSIONS, Client
from tests.wire.plain import Plain
from tests.wire.record import PLAIN, Proven, Record, recorded, write_table
from tests.wire.stories import Facts, Stories
from tests.wire.topology import MOVED_BYTES, MULTIPART_FROM, deployed

OWNER, STRANGER, ORGANISATION = "ada", "cleo", "acme"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-wire-table", action="store_true", help="write docs/wire.md")


@pytest.fixture(scope="session")
def hub(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """The server with Ada, who owns everything, and Cleo, a stranger."""
    topologies = {"proxy": "through_proxy", "bucket": "with_bucket"}
    if topology := os.environ.get("WIRE_TOPOLOGY"):
        yield request.getfixturevalue(topologies[topology])
    else:
        with LiveServer() as server:
            yield populated(server)


@pytest.fixture(scope="session")
def through_proxy() -> Iterator[LiveServer]:
    """The same people on a hub of all its parts, reached through nginx."""
    with deployed() as server:
        yield populated(server)


@pytest.fixture(scope="session")
def with_bucket(ceph: RadosGateway) -> Iterator[LiveServer]:
    """The same people on a hub whose large files lie in a bucket of Ceph."""
    parts = {
        "WEIGHHOUSE_LFS_MULTIPART_FROM": str(MULTIPART_FROM),
        "WEIGHHOUSE_LFS_PART_BYTES": str(MULTIPART_FROM),
    }
    with LiveServer(environ=ceph.server.environ() | parts, workers=True) as server:
        yield populated(server)


def populated(live: LiveServer) -> LiveServer:
    live.create_user(OWNER)
    live.create_user(STRANGER)
    live.create_org(ORGANISATION, owner=OWNER)
    return live


@pytest.fixture(scope="session", params=VERSIONS)
def client(request: pytest.FixtureRequest) -> Client:
    return clients.client(request.param)


@pytest.fixture(scope="session")
def proven(request: pytest.FixtureRequest) -> Iterator[Proven]:
    """What all tests of the run have proven, on whatever server; docs/wire.md at the end."""
    found: Proven = {}
    yield found
    if request.config.getoption("write_wire_table"):
        write_table(found)


@pytest.fixture(scope="session")
def record(hub: LiveServer, proven: Proven) -> Iterator[Record]:
    """Which requests of which client the server answered."""
    with recorded(hub.log, proven) as kept:
        yield kept


@pytest.fixture(scope="session")
def stories(hub: LiveServer, record: Record, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return Stories(hub, record, tmp_path_factory.mktemp("stories"))


@pytest.fixture(params=[(OURS, True), (OURS, False), ("0.36.2", True), ("0.36.2", False)], ids=str)
def moved(request: pytest.FixtureRequest, stories: Stories) -> Facts:
    """Weights that went up and came back, by Xet and by LFS, with the newest release and an old."""
    version, xet = request.param
    return stories.tell(clients.client(version), "transfers", xet=xet, bytes=MOVED_BYTES)


@pytest.fixture
def plain(hub: LiveServer, record: Record) -> Iterator[Plain]:
    """HTTP without a client library, for what no library sends."""
    with record.by(PLAIN):
        yield Plain(hub.url, {"": "", OWNER: hub.token(OWNER), STRANGER: hub.token(STRANGER)})


@pytest.fixture
def reading_token(hub: LiveServer) -> str:
    """A token of Ada's that may only read."""
    return hub.token(OWNER, "read")
