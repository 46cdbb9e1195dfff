"""Files of models on a worker's disk: those used least recently leave, and none by halves."""

import os
import struct
import time
from pathlib import Path

import pytest

from inference.protocols.families import Family
from inference.runtimes.ports import ModelRef
from inference.runtimes.snapshot import Snapshots, numbers_in, prune

HOUR = 3600.0


def model(home: Path, name: str, *, size: int = 100, hours: float = 1) -> Path:
    folder = home / "ada--model" / name
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(size))
    then = time.time() - hours * HOUR
    os.utime(folder, (then, then))
    return folder


def test_those_used_least_recently_leave_until_the_rest_fits(tmp_path: Path) -> None:
    old, used, new = (
        model(tmp_path, name, hours=hours) for name, hours in (("a", 9), ("b", 8), ("c", 1))
    )
    snapshots = Snapshots(tmp_path, "http://127.0.0.1:9")
    assert snapshots.has(ModelRef("ada/model", old.name, Family.ECHO))

    assert prune(tmp_path, 200) == [used]
    assert old.is_dir()
    assert new.is_dir()


def test_what_was_used_just_now_stays_however_large(tmp_path: Path) -> None:
    model(tmp_path, "a", hours=0)

    assert prune(tmp_path, 1) == []


def test_without_a_bound_all_stay(tmp_path: Path) -> None:
    model(tmp_path, "a")

    assert prune(tmp_path, 0) == []


def test_what_a_killed_fetch_left_goes_after_a_day(tmp_path: Path) -> None:
    left, running = (model(tmp_path, name, hours=h) for name, h in ((".new-a", 25), (".new-b", 1)))

    prune(tmp_path, 0)

    assert not left.exists()
    assert running.is_dir()


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        (b'{"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}', 6),
        (b'{"__metadata__":{},"a":{"shape":[]}}', 1),
        (b"[1]", 11),
        (b"{", 9),
    ],
)
def test_what_weights_will_hold_is_told_before_they_are_loaded(
    tmp_path: Path, raw: bytes, numbers: int
) -> None:
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw)

    assert numbers_in(tmp_path) == numbers
