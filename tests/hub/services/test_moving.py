"""Bytes move from one store to another, and what is damaged stays behind."""

import hashlib
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from hub.services.moving import Fate, Outcome, compare, move
from hub.storage.digests import lfs_key, shard_key, xorb_index_key, xorb_key
from hub.storage.local import LocalStore
from hub.storage.memory import MemoryStore
from hub.storage.ports import BlobStore
from hub.xet.hashing import to_text
from tests.hub.storage.storage_contract import read, staged_names
from tests.hub.xet.samples import index_of, lcg, xorb_of
from tests.live import free_port
from tests.s3 import S3Server

LARGE = lcg(100_000, 1)
CHUNKS = [lcg(20_000, 2), lcg(30_000, 3)]


def put(store: BlobStore, key: str, content: bytes) -> str:
    store.publish(store.stage([content]), key)
    return key


def fill(store: BlobStore) -> list[str]:
    """One of each kind."""
    xorb, body = xorb_of(CHUNKS, 0)
    index = index_of(CHUNKS, 0).to_bytes()
    shard, sha256 = b"a shard", hashlib.sha256(LARGE).digest()
    return sorted(
        [
            put(store, lfs_key(sha256), LARGE),
            put(store, lfs_key(hashlib.sha256(b"").digest()), b""),
            put(store, xorb_key(to_text(xorb)), body),
            put(store, xorb_index_key(to_text(xorb)), index),
            put(store, shard_key(date(2026, 1, 2), hashlib.sha256(shard).digest()), shard),
        ]
    )


def damaged(content: bytes) -> bytes:
    """One bit is another; of nothing, something."""
    return content[:-1] + bytes([content[-1] ^ 1]) if content else b"x"


def fates(outcomes: Iterator[Outcome]) -> dict[str, Fate]:
    return {outcome.key: outcome.fate for outcome in outcomes}


@pytest.fixture
def source() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def target() -> MemoryStore:
    return MemoryStore()


def test_everything_comes_and_a_second_run_brings_only_what_is_new(
    source: MemoryStore, target: MemoryStore
) -> None:
    keys = fill(source)

    first = fates(move(source, target, jobs=4))
    late = put(source, lfs_key(hashlib.sha256(b"late").digest()), b"late")
    second = fates(move(source, target, jobs=4))

    assert first == dict.fromkeys(keys, Fate.MOVED)
    assert second == {**dict.fromkeys(keys, Fate.THERE), late: Fate.MOVED}
    assert [read(target, key) for key in keys] == [read(source, key) for key in keys]
    assert set(fates(compare(source, target, jobs=4)).values()) == {Fate.THERE}


@pytest.mark.parametrize("number", range(5))
def test_damaged_bytes_stay_behind(source: MemoryStore, target: MemoryStore, number: int) -> None:
    key = fill(source)[number]
    content = read(source, key)
    source.drop(key)
    put(source, key, damaged(content))

    bad = [one for one in move(source, target, jobs=1) if one.fate == Fate.BAD]

    assert key in {one.key for one in bad}
    assert target.size(key) is None
    assert staged_names(target) == []
    assert fates(compare(source, target, jobs=1))[key] == Fate.BAD


def test_other_bytes_in_the_new_store_are_told_of_and_stay(
    source: MemoryStore, target: MemoryStore
) -> None:
    key = lfs_key(hashlib.sha256(LARGE).digest())
    put(source, key, LARGE)
    put(target, key, b"cut")

    assert fates(move(source, target, jobs=1)) == {key: Fate.BAD}
    assert read(target, key) == b"cut"


def test_a_folder_moves_into_a_bucket_and_back(
    moto: S3Server, settings: Settings, tmp_path: Path
) -> None:
    moto.use(settings)
    bucket, folder, back = settings.STORE_URL, f"file://{tmp_path}/one", f"file://{tmp_path}/two"
    keys = fill(LocalStore(tmp_path / "one"))
    settings.STORE_URL = folder
    told = StringIO()

    call_command("store_move", "--to", bucket, stdout=told)
    settings.STORE_URL = bucket
    call_command("store_move", "--to", back, "--jobs", "1", stdout=told)

    assert list(LocalStore(tmp_path / "two").keys()) == keys
    assert told.getvalue().count("moved: 5 moved") == 2
    assert told.getvalue().count("compared: 5 there") == 2
    assert f"WEIGHHOUSE_STORE_URL={back}" in told.getvalue()


def test_a_move_that_leaves_something_behind_says_so(settings: Settings, tmp_path: Path) -> None:
    settings.STORE_URL = f"file://{tmp_path}/one"
    put(LocalStore(tmp_path / "one"), lfs_key(bytes(32)), b"damaged")
    told = StringIO()

    with pytest.raises(SystemExit):
        call_command("store_move", "--to", f"file://{tmp_path}/two", stdout=told)

    assert "another SHA-256" in told.getvalue()
    assert "Not everything is there" in told.getvalue()


@pytest.mark.parametrize("to", ["ftp://x", "file:relative", "s3://", "file:///same"])
def test_a_move_to_nowhere_is_refused(settings: Settings, to: str) -> None:
    settings.STORE_URL = "file:///same"

    with pytest.raises(CommandError):
        call_command("store_move", "--to", to)


def test_a_move_to_a_server_that_is_not_there_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STORE_URL = f"file://{tmp_path}/one"
    settings.S3 = settings.S3 | {"endpoint": f"http://127.0.0.1:{free_port()}", "key": "a"}
    settings.S3 = settings.S3 | {"secret": "b"}
    fill(LocalStore(tmp_path / "one"))

    with pytest.raises(CommandError, match="does not answer"):
        call_command("store_move", "--to", "s3://bucket")
