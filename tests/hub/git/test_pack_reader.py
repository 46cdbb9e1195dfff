import random
import subprocess
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import BadObject
from hub.git.deltas import apply_delta
from hub.git.objects import Kind, hash_object
from hub.git.pack_reader import Limits, read_pack
from hub.git.stored import Keyframe
from hub.git.unpacked import Base, Pack
from tests.hub.git.packs import (
    blob,
    delta,
    header,
    ofs_delta,
    pack,
    ref_delta,
    sealed,
    source,
    varint,
    whole,
)

ONE, TWO = b"one\n" * 40, b"one\n" * 40 + b"two\n"


Bases = Mapping[bytes, Base]
NONE: Bases = {}


def read(data: bytes, limits: Limits | None = None, bases: Bases = NONE) -> Pack:
    return read_pack(
        source(data),
        find_bases=lambda oids: {oid: bases[oid] for oid in oids if oid in bases},
        visit=lambda _kind, _oid, _raw: None,
        limits=limits,
    )


def contents(data: bytes, bases: Bases = NONE) -> dict[bytes, bytes]:
    with read(data, bases=bases) as found:
        return {oid: found.raw(oid) for oid in found}


def test_whole_objects_come_out_as_they_went_in() -> None:
    data = pack([whole(Kind.BLOB, ONE), whole(Kind.BLOB, b"")])

    assert contents(data) == {blob(ONE): ONE, blob(b""): b""}


@pytest.mark.parametrize("size", [1 << 20, 3_000_000, 11_000_000])
@pytest.mark.parametrize("raw", [random.Random(5).randbytes(1000), b"x" * 1000])
def test_what_follows_a_long_object_is_found(size: int, raw: bytes) -> None:
    long = raw * (size // 1000)
    data = pack([whole(Kind.BLOB, long), whole(Kind.BLOB, ONE)])
    noise = random.Random(size).randbytes(size)

    assert contents(data)[blob(ONE)] == ONE
    assert blob(ONE) in contents(pack([whole(Kind.BLOB, noise), whole(Kind.BLOB, ONE)]))


def test_what_lies_deflated_in_the_pack_is_the_row(tmp_path: Path) -> None:
    with read(pack([whole(Kind.BLOB, ONE)])) as found:
        row = next(found.rows(deltas=False))

    assert (row.oid, row.size, row.data) == (blob(ONE), len(ONE), zlib.compress(ONE))


def test_deltas_are_carried_out_after_their_bases_in_any_order() -> None:
    first = whole(Kind.BLOB, ONE)
    three = TWO + b"three\n"
    by_place = [first, ofs_delta(len(first), delta(ONE, TWO))]
    backwards = [ref_delta(blob(TWO), delta(TWO, three)), ref_delta(blob(ONE), delta(ONE, TWO))]

    assert contents(pack(by_place)) == {blob(ONE): ONE, blob(TWO): TWO}
    assert contents(pack([*backwards, first])).keys() == {blob(ONE), blob(TWO), blob(three)}


def test_a_thin_pack_begins_from_what_the_repo_has() -> None:
    data = pack([ref_delta(blob(ONE), delta(ONE, TWO))])

    made = contents(data, {blob(ONE): Base(Kind.BLOB, ONE)})

    assert made == {blob(TWO): TWO}


def test_versions_of_a_tree_are_stored_against_one_that_is_whole() -> None:
    versions = [tree(number) for number in range(4)]
    entries = [whole(Kind.TREE, versions[0])]
    for old, new in pairwise(versions):
        entries.append(ref_delta(hash_object(Kind.TREE, old), delta(old, new)))

    with read(pack(entries)) as found:
        rows = list(found.rows(deltas=True))
        keyframe = hash_object(Kind.TREE, versions[0])
        assert {row.base for row in rows} == found.keyframes() == {keyframe}
        made = {apply_delta(versions[0], zlib.decompress(row.data)) for row in rows}
        assert made == set(versions[1:])


def test_a_tree_is_never_stored_against_a_delta_of_the_repo() -> None:
    keyframe, older, new = tree(0), tree(1), tree(2)
    outside = Base(Kind.TREE, older, Keyframe(hash_object(Kind.TREE, keyframe), keyframe))
    data = pack([ref_delta(hash_object(Kind.TREE, older), delta(older, new))])

    with read(data, bases={hash_object(Kind.TREE, older): outside}) as found:
        (row,) = found.rows(deltas=True)

    assert row.base == hash_object(Kind.TREE, keyframe)
    assert apply_delta(keyframe, zlib.decompress(row.data)) == new


def tree(version: int) -> bytes:
    names = [b"file-%03d" % number for number in range(100)]
    return b"".join(
        b"100644 %s\0%s" % (name, blob(name if number != 50 else b"%d" % version))
        for number, name in enumerate(names)
    )


def test_the_real_git_makes_packs_that_we_read(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q", ".")
    for number in range(30):
        (tmp_path / "file.txt").write_text(f"{number}\n" * 300)
        (tmp_path / f"{number}").write_text("x")
        run(tmp_path, "add", ".")
        run(tmp_path, "-c", "user.name=a", "-c", "user.email=e", "commit", "-qm", f"{number}")
    listed = run(tmp_path, "rev-list", "--objects", "--all").decode().split("\n")
    oids = {line.split()[0] for line in listed if line}

    data = run(tmp_path, "pack-objects", "--stdout", "--revs", "--all", stdin=b"")

    with read(data) as found:
        assert {oid.hex() for oid in found} == oids
        for oid in found:
            kind = found.kind(oid)
            assert kind is not None
            assert hash_object(kind, found.raw(oid)) == oid


def run(folder: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=True).stdout


BAD = {
    "nothing": b"",
    "no pack": sealed(b"PUCK" + bytes(8)),
    "another version": sealed(b"PACK" + (4).to_bytes(4, "big") + bytes(4)),
    "a wrong checksum": pack([whole(Kind.BLOB, ONE)])[:-1] + b"\0",
    "fewer objects than said": pack([whole(Kind.BLOB, ONE)], count=2),
    "a count beyond all": pack([whole(Kind.BLOB, ONE)], count=0xFFFFFFFF),
    "more objects than said": pack([whole(Kind.BLOB, ONE)] * 2, count=1),
    "an unknown type": pack([header(5, 3) + zlib.compress(b"abc")]),
    "no type": pack([header(0, 3) + zlib.compress(b"abc")]),
    "a size that is too small": pack([whole(Kind.BLOB, ONE, size=3)]),
    "a size that is too large": pack([whole(Kind.BLOB, ONE, size=len(ONE) + 1)]),
    "a size without end": pack([b"\xb0" + b"\x80" * 40 + b"\x01" + zlib.compress(b"")]),
    "a huge tree": pack([whole(Kind.TREE, b"x", size=1 << 40)]),
    "a huge commit": pack([whole(Kind.COMMIT, bytes(2 << 20))]),
    "no zlib": pack([header(Kind.BLOB, 20) + bytes(20)]),
    "a delta of nothing": pack([ref_delta(blob(ONE), delta(ONE, TWO))]),
    "a delta from before the pack": pack([ofs_delta(100, delta(ONE, TWO))]),
    "a delta from the middle": pack([whole(Kind.BLOB, ONE), ofs_delta(3, delta(ONE, TWO))]),
    "a delta of itself": pack([ofs_delta(0, delta(ONE, TWO))]),
    "a delta of another base": pack([whole(Kind.BLOB, ONE), ref_delta(blob(ONE), delta(TWO, ONE))]),
    "a cut delta": pack([whole(Kind.BLOB, ONE), ref_delta(blob(ONE), delta(ONE, TWO)[:-3])]),
    "a reserved operation": pack(
        [whole(Kind.BLOB, b"x"), ref_delta(blob(b"x"), varint(1) + varint(0) + b"\0")]
    ),
    "a delta that copies beyond its base": pack(
        [whole(Kind.BLOB, b"x"), ref_delta(blob(b"x"), varint(1) + varint(9) + b"\x90\x09")]
    ),
    "two deltas of each other": pack(
        [ref_delta(blob(TWO), delta(TWO, ONE)), ref_delta(blob(ONE), delta(ONE, TWO))]
    ),
    "a dictionary": pack([header(Kind.BLOB, 5) + b"\x78\xbb" + bytes(12)]),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_pack_is_refused(what: str) -> None:
    with pytest.raises(BadObject):
        read(BAD[what])


def test_a_pack_that_ends_anywhere_is_refused() -> None:
    first = whole(Kind.BLOB, ONE)
    data = pack([first, ofs_delta(len(first), delta(ONE, TWO)), whole(Kind.BLOB, b"x" * 5000)])

    for end in range(len(data)):
        with pytest.raises(BadObject):
            read(data[:end])


def test_a_pack_that_ends_anywhere_with_a_good_checksum_is_refused() -> None:
    first = whole(Kind.BLOB, ONE)
    data = pack([first, ofs_delta(len(first), delta(ONE, TWO)), whole(Kind.BLOB, b"x" * 5000)])

    for end in range(len(data) - 20):
        with pytest.raises(BadObject):
            read(sealed(data[:end]))


def test_a_chain_of_deltas_has_an_end() -> None:
    versions = [ONE + b"%d" % number for number in range(20)]
    entries = [whole(Kind.BLOB, versions[0])]
    for old, new in pairwise(versions):
        entries.append(ref_delta(blob(old), delta(old, new)))

    assert len(contents(pack(entries))) == 20
    with pytest.raises(BadObject, match="longer than 10"):
        read(pack(entries), Limits(depth=10))


def test_an_oversized_blob_is_named_and_not_kept() -> None:
    with read(pack([whole(Kind.BLOB, bytes(5000))]), Limits(blob_bytes=4096)) as found:
        assert found.oversized == [(5000, blob(bytes(5000)))]
        assert len(found) == 0


def test_a_small_delta_that_makes_an_oversized_blob_is_stopped() -> None:
    base = bytes(60_000)
    copies = b"\xb0\x60\xea" * 200_000
    made = varint(len(base)) + varint(len(base) * 200_000) + copies

    with read(pack([whole(Kind.BLOB, base), ref_delta(blob(base), made)])) as found:
        assert found.oversized == [(len(base) * 200_000, None)]


def test_a_delta_that_makes_more_than_it_says_is_stopped_at_once() -> None:
    base = bytes(60_000)
    made = varint(len(base)) + varint(10) + b"\xb0\x60\xea" * 200_000

    with pytest.raises(BadObject, match="malformed"):
        read(pack([whole(Kind.BLOB, base), ref_delta(blob(base), made)]))


def test_deltas_of_endless_steps_are_stopped() -> None:
    base = bytes(1000)
    steps = varint(len(base)) + varint(400) + b"\x90\x01" * 400
    others = [ref_delta(blob(base), steps[:-2] + b"\x01" + bytes([n])) for n in range(1, 9)]
    data = pack([whole(Kind.BLOB, base), *others])

    read(data, Limits(delta_steps=8 * 400)).close()
    with pytest.raises(BadObject, match="steps"):
        read(data, Limits(delta_steps=8 * 400 - 1))


def test_what_inflates_too_much_in_all_is_refused() -> None:
    entries = [whole(Kind.BLOB, b"%d" % number + bytes(100_000)) for number in range(20)]

    with pytest.raises(BadObject, match="more than we unpack"):
        read(pack(entries), Limits(inflated_bytes=1_000_000))


def test_a_pack_that_is_too_long_is_refused_while_it_comes() -> None:
    with pytest.raises(BadObject, match="more than 100 bytes"):
        read(pack([whole(Kind.BLOB, random.Random(1).randbytes(1000))]), Limits(pack_bytes=100))


def test_empty_blocks_of_deflate_do_not_become_a_row() -> None:
    stuffed = zlib.compressobj()
    data = stuffed.compress(b"x")
    for _ in range(3000):
        data += stuffed.flush(zlib.Z_SYNC_FLUSH) + stuffed.compress(b"")
    data += b"\0\0\0\xff\xff" * 3000 + stuffed.flush()

    with read(pack([header(Kind.BLOB, 1) + data])) as found:
        (row,) = found.rows(deltas=False)

    assert len(row.data) < 100


def test_memory_does_not_grow_with_the_pack() -> None:
    blobs = (random.Random(number).randbytes(1_000_000) for number in range(100))
    data = pack(whole(Kind.BLOB, raw) for raw in blobs)

    tracemalloc.start()
    with read(data) as found:
        nbytes = sum(len(row.data) for row in found.rows(deltas=False))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert nbytes > 100_000_000
    assert peak < 12_000_000


FIRST = whole(Kind.BLOB, ONE)
GOOD = pack(
    [
        FIRST,
        ofs_delta(len(FIRST), delta(ONE, TWO)),
        ref_delta(blob(TWO), delta(TWO, ONE + TWO)),
        whole(Kind.TREE, tree(0)),
    ]
)[:-20]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good pack with a few bytes changed, put in or taken out."""
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        change = draw(st.sampled_from(["set", "put", "take"]))
        if change == "set":
            data[at] = draw(st.integers(0, 255))
        elif change == "put":
            data[at:at] = draw(st.binary(min_size=1, max_size=4))
        elif len(data) > 100:
            del data[at : at + draw(st.integers(1, 30))]
    return sealed(bytes(data))


def entries() -> st.SearchStrategy[bytes]:
    raws = st.sampled_from([ONE, TWO, b"", b"x"])
    deltas = st.one_of(
        st.binary(max_size=30), st.builds(delta, raws, raws), st.builds(lambda raw: raw, raws)
    )
    return st.one_of(
        st.builds(whole, st.sampled_from(Kind), raws),
        st.builds(ref_delta, st.builds(blob, raws), deltas),
        st.builds(ofs_delta, st.integers(1, 200), deltas),
    )


def outcome(data: bytes) -> Iterator[bytes]:
    try:
        found = read(data, Limits(inflated_bytes=1 << 20))
    except BadObject:
        return
    with found:
        yield from (found.raw(oid) for oid in found)


@settings(max_examples=1000, deadline=2000)
@given(damaged())
def test_a_damaged_pack_is_read_or_refused(data: bytes) -> None:
    for raw in outcome(data):
        assert len(raw) <= 1 << 20


@settings(max_examples=1000, deadline=2000)
@given(st.lists(entries(), max_size=8))
def test_any_sequence_of_entries_is_read_or_refused(parts: list[bytes]) -> None:
    for raw in outcome(pack(parts)):
        assert len(raw) <= 1 << 20


@settings(max_examples=1000, deadline=2000)
@given(st.binary(max_size=400))
def test_noise_is_read_or_refused(noise: bytes) -> None:
    list(outcome(sealed(b"PACK" + (2).to_bytes(4, "big") + noise)))
