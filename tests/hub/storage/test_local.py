import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.storage.digests import chunks_of, digest_of, lfs_key
from hub.storage.local import LocalStore
from hub.storage.ports import BlobStore
from teams.errors import OutOfSpace
from tests.hub.storage.storage_contract import (
    KEY,
    MIB,
    SMALL_STORE_BYTES,
    BlobStoreContract,
    FullStoreContract,
    put,
    staged_names,
)

PUBLISH_FOR_EVER = """
import os, sys
from contextlib import suppress
from pathlib import Path
from hub.storage.digests import lfs_key
from hub.storage.local import LocalStore

store = LocalStore(Path(sys.argv[1]))
while True:
    staged = store.stage([os.urandom(65536)] * 4)
    key = lfs_key(staged.sha256)
    store.publish(staged, key)
    print(key, flush=True)
"""
STOP_IN_THE_MIDDLE = """
import sys, time
from contextlib import suppress
from pathlib import Path
from hub.storage.local import LocalStore

writer = LocalStore(Path(sys.argv[1])).open_stage(name="upload/1")
writer.write(b"x" * 3_000_000)
print("halfway", flush=True)
time.sleep(60)
"""
SMALL_STORE_FILES = 64
ROOT = Path(__file__).parents[3]


def in_child(program: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def kill(child: subprocess.Popen[str]) -> str:
    """Kill a child with no chance to clean up, and answer what it said."""
    child.kill()
    said, _ = child.communicate()
    assert child.returncode == -signal.SIGKILL
    return said


def mount_small(folder: Path) -> None:
    """Mount a file system of a few MiB, or skip where that is forbidden; never in CI."""
    options = f"size={SMALL_STORE_BYTES},nr_inodes={SMALL_STORE_FILES}"
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    )
    if mount.returncode == 0:
        return
    reason = f"NOT TESTED, a full disk: mounting one needs root ({mount.stderr.decode().strip()})"
    if os.environ.get("WEIGHHOUSE_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount_small(folder)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


class TestLocalStore(BlobStoreContract, FullStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return LocalStore(tmp_path / "blobs")

    @pytest.fixture
    def small_store(self, small_disk: Path) -> BlobStore:
        return LocalStore(small_disk)


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def test_path_is_the_file_that_holds_the_bytes(local: LocalStore) -> None:
    put(local, b"on disk")

    path = local.path(KEY)

    assert path is not None
    assert path.read_bytes() == b"on disk"


@pytest.mark.parametrize("length", [None, 3])
def test_opened_file_stands_where_a_server_shall_send_from(
    local: LocalStore, length: int | None
) -> None:
    put(local, b"0123456789")

    with local.open(KEY, start=4, length=length) as file:
        assert os.read(file.fileno(), 3) == b"456"


def test_closed_range_closes_its_file(local: LocalStore) -> None:
    put(local, b"0123456789")
    file = local.open(KEY, length=3)
    descriptor = file.fileno()

    file.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_bytes_that_are_sent_to_the_disk_early_come_back_whole(local: LocalStore) -> None:
    staged = local.stage([bytes([n]) * 3 * MIB for n in range(25)])
    local.publish(staged, KEY)

    with local.open(KEY) as file:
        assert digest_of(chunks_of(file)).sha256 == staged.sha256


def test_two_stores_on_one_folder_are_one_store(tmp_path: Path) -> None:
    here, there = LocalStore(tmp_path), LocalStore(tmp_path)
    here.stage([b"part"], name="upload/1")

    assert there.publish("upload/1", KEY)

    assert not put(here, b"again")


def test_foreign_files_are_neither_keys_nor_staged(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "staging" / ".nfs01").touch()

    assert list(store.keys()) == []
    assert staged_names(store) == []


def test_key_that_is_a_folder_cannot_be_published(local: LocalStore) -> None:
    put(local, b"x", key="lfs/ab/cd")

    with pytest.raises(FileExistsError):
        put(local, b"y", key="lfs/ab")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_disk_that_is_full_only_at_fsync_refuses_and_leaves_nothing(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OutOfSpace):
        put(local, b"x")

    assert (list(local.keys()), staged_names(local)) == ([], [])


def test_failed_fsync_is_never_tried_again(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)

    with pytest.raises(OSError, match="Input/output"):
        put(local, b"x")

    assert staged_names(local) == []


def test_publish_waits_for_bytes_name_and_folders(
    local: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def note(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115

    monkeypatch.setattr(os, "fsync", note)
    put(local, b"x")
    put(local, b"y", key=f"{KEY}0")

    folders = [str(tmp_path / name) for name in ("lfs/ab/cd", "lfs/ab", "lfs", "")]
    folders = [folder.rstrip("/") for folder in folders]
    assert synced[1:5] == folders
    assert synced[6:] == folders[:1]
    assert all(Path(file).parent == tmp_path / "staging" for file in (synced[0], synced[5]))


@pytest.mark.faults
def test_kill_in_the_middle_leaves_only_what_the_sweep_takes(tmp_path: Path) -> None:
    child = in_child(STOP_IN_THE_MIDDLE, tmp_path)
    assert child.stdout is not None
    child.stdout.readline()
    kill(child)
    store = LocalStore(tmp_path)

    left = staged_names(store)
    for name in left:
        store.abandon(name)

    assert len(left) == 1
    assert left != ["upload/1"]
    assert list(store.keys()) == []
    assert list((tmp_path / "staging").iterdir()) == []


@pytest.mark.faults
def test_kill_at_any_moment_leaves_whole_blobs_and_all_that_were_acknowledged(
    tmp_path: Path,
) -> None:
    store = LocalStore(tmp_path)
    acknowledged: set[str] = set()
    for _ in range(10):
        child = in_child(PUBLISH_FOR_EVER, tmp_path)
        assert child.stdout is not None
        acknowledged.add(child.stdout.readline().strip())
        time.sleep(random.uniform(0, 0.05))
        acknowledged.update(kill(child).split())

    kept = set(store.keys())
    assert acknowledged <= kept
    for key in kept:
        with store.open(key) as file:
            assert lfs_key(digest_of(chunks_of(file)).sha256) == key


@pytest.mark.faults
def test_disk_without_room_for_a_name_refuses_to_publish(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    staged = store.stage([b"x"])
    with suppress(OSError):
        for n in range(SMALL_STORE_FILES):
            (small_disk / f"{n}.filler").touch()

    with pytest.raises(OutOfSpace):
        store.publish(staged, KEY)

    assert (list(store.keys("lfs")), staged_names(store)) == ([], [])
