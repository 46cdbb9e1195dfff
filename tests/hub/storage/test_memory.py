import pytest

from hub.storage.memory import MemoryStore
from hub.storage.ports import BlobStore
from tests.hub.storage.storage_contract import (
    SMALL_STORE_BYTES,
    BlobStoreContract,
    FullStoreContract,
)


class TestMemoryStore(BlobStoreContract, FullStoreContract):
    @pytest.fixture
    def store(self) -> BlobStore:
        return MemoryStore()

    @pytest.fixture
    def small_store(self) -> BlobStore:
        return MemoryStore(capacity=SMALL_STORE_BYTES)


def test_memory_without_capacity_does_not_know_its_end() -> None:
    assert MemoryStore().free_bytes() is None
