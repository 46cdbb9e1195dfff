"""The fixture ``live``: one real server for all tests of a run that need one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer

PREFIX = "LIVE_"


@pytest.fixture(scope="session")
def live() -> Iterator[LiveServer]:
    """A server on its own embedded PostgreSQL, unless the environment names other parts.

    ``LIVE_DATABASE_URL``, ``LIVE_BROKER_URL`` and so on become the server's ``WEIGHHOUSE_…``;
    ``LIVE_DATA`` is its data folder, and ``LIVE_PROXY_URL`` is where clients reach it.
    """
    given = {k.removeprefix(PREFIX): v for k, v in os.environ.items() if k.startswith(PREFIX)}
    front, data = given.pop("PROXY_URL", ""), given.pop("DATA", "")
    environ = {f"WEIGHHOUSE_{name}": value for name, value in given.items()}
    with LiveServer(Path(data) if data else None, environ=environ, front=front) as server:
        yield server
