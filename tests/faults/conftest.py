"""A durable server for tests that break it, and a ledger on a repo of it."""

import secrets
from collections.abc import Iterator

import pytest

from tests.faults.ledger import Ledger
from tests.live import LiveServer
from tests.wire.plain import Plain


@pytest.fixture(scope="module")
def durable() -> Iterator[LiveServer]:
    """A server whose PostgreSQL keeps its promises."""
    with LiveServer(durable=True) as live:
        yield live


@pytest.fixture
def ledger(durable: LiveServer) -> Ledger:
    hub = Plain(durable.url, {"": "", "ada": durable.token()})
    return Ledger(hub, hub.create(f"admin/faults-{secrets.token_hex(4)}"))
