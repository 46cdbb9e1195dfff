from io import BytesIO
from itertools import accumulate
from random import Random
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lz4 import frame as lz4_frame

from hub.errors import BadObject
from hub.xet.hashing import chunk_hash, from_text
from hub.xet.xorbs import (
    MAX_CHUNKS,
    MAX_STORED_BYTES,
    Extent,
    XorbIndex,
    decode_chunks,
    verify_xorb,
)
from tests.hub.xet.samples import HELLO, HELLO_XORB, cut, index_of, lcg, stored, xorb_of

HELLO_HASH = from_text("d8d408e608fb9ca213b9909a65d86d725f2de4d8d540324be8a363e7a6e228cb")
FOOTER = b"XETBLOB" + b"\1" + bytes(100)
CHUNKS = [b"one" * 100, b"two" * 33, b"three", b"4" * 5000]


class Trickle:
    """A body that comes in small pieces, as from a slow network."""

    def __init__(self, body: bytes) -> None:
        self._body = BytesIO(body)

    def read(self, size: int, /) -> bytes:
        return self._body.read(min(size, 7))


class Endless:
    """A body that says the same for ever, and counts how much of it was read."""

    def __init__(self, start: bytes, again: bytes) -> None:
        self._next, self._again = start, again
        self.seen = 0

    def read(self, size: int, /) -> bytes:
        piece, self._next = self._next, self._again * (size // len(self._again))
        self.seen += len(piece)
        return piece


def verify(body: bytes, expected: bytes) -> tuple[XorbIndex, bytes]:
    area = BytesIO()
    index = verify_xorb(BytesIO(body), area.write, expected=expected)
    return index, area.getvalue()


def test_a_real_xorb_is_verified() -> None:
    index, area = verify(HELLO_XORB, HELLO_HASH)

    assert area == HELLO_XORB
    assert (index.hash, index.chunk_hashes) == (HELLO_HASH, chunk_hash(HELLO))
    assert (index.ends, index.lens) == ((20,), (12,))


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_the_index_of_a_xorb_says_where_its_chunks_lie(scheme: int) -> None:
    expected, body = xorb_of(CHUNKS, scheme)

    index, area = verify(body, expected)

    assert area == body
    assert index.ends == tuple(accumulate(len(stored(chunk, scheme)) for chunk in CHUNKS))
    assert index.lens == tuple(len(chunk) for chunk in CHUNKS)
    assert (index.n_chunks, index.raw_bytes) == (4, sum(len(chunk) for chunk in CHUNKS))
    assert index.stored_bytes == len(body)
    assert index.hashes(1, 3) == chunk_hash(CHUNKS[1]) + chunk_hash(CHUNKS[2])
    assert list(index.nodes(1, 2)) == [(chunk_hash(CHUNKS[1]), 99)]


def test_the_byte_range_of_chunks_holds_exactly_these_chunks() -> None:
    _, body = xorb_of(CHUNKS, 1)
    index = index_of(CHUNKS, 1)

    for start, end in [(0, 4), (1, 3), (0, 1), (3, 4)]:
        first, stop = index.byte_range(start, end)
        assert list(decode_chunks(body[first:stop])) == CHUNKS[start:end]
        assert index.raw_len(start, end) == len(b"".join(CHUNKS[start:end]))


def test_a_body_that_trickles_in_is_the_same_xorb() -> None:
    expected, body = xorb_of(CHUNKS, 2)

    assert verify_xorb(Trickle(body), len, expected=expected) == index_of(CHUNKS, 2)


def test_a_xorb_of_many_blocks_arrives_whole() -> None:
    chunks = list(cut(lcg(300000, 7) * 10, [100_000] * 30))
    expected, body = xorb_of(chunks)

    index, area = verify(body, expected)

    assert area == body
    assert index.raw_bytes == 3_000_000


@pytest.mark.parametrize("footer", [FOOTER, FOOTER + bytes(400_000)])
def test_a_footer_is_accepted_and_dropped(footer: bytes) -> None:
    index, area = verify(HELLO_XORB + footer, HELLO_HASH)

    assert area == HELLO_XORB
    assert index == index_of([HELLO])


def test_a_footer_without_an_end_is_refused() -> None:
    source = Endless(HELLO_XORB + FOOTER, b"\0")

    with pytest.raises(BadObject):
        verify_xorb(source, len, expected=HELLO_HASH)

    assert source.seen < 3_000_000


def test_a_xorb_under_another_hash_is_refused() -> None:
    with pytest.raises(BadObject, match="d8d408e6"):
        verify(HELLO_XORB, bytes(32))


@pytest.mark.parametrize("body", [b"", FOOTER])
def test_a_xorb_without_chunks_is_refused_even_by_the_hash_of_nothing(body: bytes) -> None:
    with pytest.raises(BadObject, match="no chunk"):
        verify(body, bytes(32))


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_a_xorb_cut_anywhere_is_refused(scheme: int) -> None:
    expected, body = xorb_of(CHUNKS, scheme)

    for size in range(len(body)):
        with pytest.raises(BadObject):
            verify(body[:size], expected)


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_a_xorb_with_any_bit_flipped_is_refused_or_holds_the_same(scheme: int) -> None:
    chunks = [bytes(range(200)), b"abc" * 9]
    expected, body = xorb_of(chunks, scheme)

    for at in range(len(body) * 8):
        flipped = bytearray(body)
        flipped[at // 8] ^= 1 << at % 8
        # Some bits of an LZ4 frame say nothing of its content.
        if (area := accepted(bytes(flipped), expected)) is not None:
            assert list(decode_chunks(area)) == chunks


def accepted(body: bytes, expected: bytes) -> bytes | None:
    try:
        return verify(body, expected)[1]
    except BadObject:
        return None


@given(st.binary(max_size=300))
def test_noise_is_no_xorb(noise: bytes) -> None:
    with pytest.raises(BadObject):
        verify(noise, HELLO_HASH)


def test_as_many_chunks_as_the_format_allows_are_accepted() -> None:
    index = index_of([b"x"] * MAX_CHUNKS)

    assert index.n_chunks == MAX_CHUNKS


@pytest.mark.parametrize(
    "chunk", [stored(b"x"), stored(bytes(131072), 1), stored(lcg(131072, 3))], ids=len
)
def test_a_xorb_that_never_ends_is_refused_at_its_limit(chunk: bytes) -> None:
    source = Endless(chunk, chunk)
    area: list[int] = []

    with pytest.raises(BadObject, match="at most"):
        verify_xorb(source, lambda piece: area.append(len(piece)), expected=HELLO_HASH)

    assert sum(area) <= MAX_STORED_BYTES
    assert source.seen <= MAX_STORED_BYTES + 2**21


def padded(chunk: bytes, n_blocks: int) -> bytes:
    """A chunk whose LZ4 frame begins with blocks that hold nothing."""
    frame = lz4_frame.compress(chunk, store_size=False)
    payload: bytes = frame[:7] + (pack("<I", 1) + b"\0") * n_blocks + frame[7:]
    return pack("<II", len(payload) << 8, 1 | len(chunk) << 8) + payload


def test_chunks_that_are_stored_longer_than_they_are_end_at_the_same_limit() -> None:
    chunk = padded(b"x", 50_000)
    source = Endless(chunk, chunk)

    assert list(decode_chunks(chunk)) == [b"x"]
    with pytest.raises(BadObject, match="at most"):
        verify_xorb(source, len, expected=HELLO_HASH)
    assert source.seen <= MAX_STORED_BYTES + 2**21


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_stored_chunks_decode_to_what_they_were(scheme: int) -> None:
    _, body = xorb_of(CHUNKS, scheme)

    assert list(decode_chunks(body)) == list(decode_chunks(memoryview(body))) == CHUNKS


def test_stored_chunks_cut_within_a_chunk_are_refused() -> None:
    _, body = xorb_of(CHUNKS, 2)
    borders = {0, *index_of(CHUNKS, 2).ends}

    for size in set(range(len(body))) - borders:
        with pytest.raises(BadObject):
            list(decode_chunks(body[:size]))


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=30))
@settings(deadline=None)
def test_an_index_comes_back_from_its_bytes(chunks: list[bytes]) -> None:
    index = index_of(chunks)

    assert XorbIndex.from_bytes(index.hash, index.to_bytes()) == index
    assert len(index.to_bytes()) == 40 * len(chunks)
    assert Extent.from_columns(*index.columns()) == Extent(index.ends, index.lens)


def test_an_index_is_laid_out_hash_end_length() -> None:
    assert index_of([HELLO]).to_bytes() == chunk_hash(HELLO) + pack("<II", 20, 12)


@pytest.mark.parametrize("size", [0, 1, 39, 41, 79])
def test_a_damaged_index_is_refused(size: int) -> None:
    with pytest.raises(BadObject):
        XorbIndex.from_bytes(HELLO_HASH, bytes(size))


def test_a_decoder_is_not_moved_by_noise_between_chunks() -> None:
    noise = Random(4).randbytes(500)

    with pytest.raises(BadObject):
        list(decode_chunks(stored(b"fine") + noise))
