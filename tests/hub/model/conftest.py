"""Tests that really commit."""

import pytest

from tests.cast import Cast, gather


@pytest.fixture
def committed(transactional_db: None) -> Cast:
    """The cast, in a database where threads of a test see what each other did."""
    return gather()
