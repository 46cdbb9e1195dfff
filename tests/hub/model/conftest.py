"""Tests that really commit, and leave nothing behind."""

from collections.abc import Iterator

import pytest

from hub.models import sql
from hub.queries.fsck.leftovers import GIT_TABLES
from tests.cast import Cast, gather


@pytest.fixture
def committed(transactional_db: None) -> Iterator[Cast]:
    """The cast. The tables of history are not Django's, so nobody else empties them afterwards."""
    yield gather()
    sql.run(f"TRUNCATE {', '.join(GIT_TABLES)}")
