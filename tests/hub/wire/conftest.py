"""Fixtures of the wire's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hub.queries.store import blob_store


@pytest.fixture(autouse=True)
def empty_store(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """A store of its own for each test: rows are rolled back after it, files are not."""
    settings.STORE_URL = f"file://{tmp_path}/store"
    blob_store.cache_clear()
    yield
    blob_store.cache_clear()
