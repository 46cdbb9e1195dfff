import subprocess
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.git.deltas import tree_delta
from hub.git.objects import FILE_MODE, Entry, Kind, build_tree, hash_object
from hub.git.pack_writer import PackWriter, distance, entry_header


def tree_of(count: int) -> bytes:
    return build_tree({b"f%03d" % n: Entry(FILE_MODE, n.to_bytes(20, "big")) for n in range(count)})


def judged_by_git(pack: bytes, folder: Path) -> str:
    """What the real git finds in the pack: ids and kinds."""
    home = folder / "test.pack"
    home.write_bytes(pack)
    subprocess.run(["git", "index-pack", home], check=True, capture_output=True)
    told = subprocess.run(
        ["git", "verify-pack", "-v", home.with_suffix(".idx")],
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout


@pytest.mark.parametrize("near_deltas", [True, False])
def test_git_reads_objects_and_deltas_back(tmp_path: Path, *, near_deltas: bool) -> None:
    base, new, blob = tree_of(200), tree_of(201), b"hello" * 9000
    delta, sink = tree_delta(base, new), BytesIO()
    writer = PackWriter(sink, 3, near_deltas=near_deltas)

    writer.add(
        (hash_object(kind, raw), kind, len(raw), None, zlib.compress(raw, 1))
        for kind, raw in ((Kind.TREE, base), (Kind.BLOB, blob))
    )
    writer.add_delta(hash_object(Kind.TREE, base), len(delta), zlib.compress(delta, 1))
    size = writer.finish()

    told = judged_by_git(sink.getvalue(), tmp_path)
    assert size == len(sink.getvalue())
    for kind, raw in ((Kind.TREE, base), (Kind.TREE, new), (Kind.BLOB, blob)):
        assert f"{hash_object(kind, raw).hex()} {kind.name.lower()}" in told


def test_a_pack_without_objects_is_a_pack(tmp_path: Path) -> None:
    sink = BytesIO()

    PackWriter(sink, 0, near_deltas=True).finish()

    assert judged_by_git(sink.getvalue(), tmp_path).endswith("ok\n")


def test_a_pack_that_lacks_an_object_is_not_finished() -> None:
    writer = PackWriter(BytesIO(), 1, near_deltas=True)

    with pytest.raises(ValueError, match="1 objects"):
        writer.finish()


@given(st.integers(1, 7), st.integers(0, 1 << 40))
def test_a_header_holds_type_and_size(kind: int, size: int) -> None:
    first, *others = entry_header(kind, size)

    assert first >> 4 & 7 == kind
    read = first & 15
    for n, byte in enumerate(others):
        read |= (byte & 127) << (4 + 7 * n)
    assert read == size


@given(st.integers(1, 1 << 40))
def test_a_distance_is_read_back_as_git_reads_it(offset: int) -> None:
    read = -1
    for byte in distance(offset):
        read = read + 1 << 7 | byte & 127

    assert read == offset
