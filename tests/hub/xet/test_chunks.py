from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lz4 import frame as lz4_frame

from hub.errors import BadObject
from hub.xet.chunks import HEADER_BYTES, ChunkHeader, Scheme, decode, parse_header
from tests.hub.xet.samples import HELLO_XORB, lcg, stored


def decoded(chunk: bytes) -> bytes:
    return bytes(decode(parse_header(chunk), memoryview(chunk)[HEADER_BYTES:]))


def test_the_header_of_a_real_chunk_is_read() -> None:
    assert parse_header(HELLO_XORB) == ChunkHeader(Scheme.PLAIN, 12, 12)


@pytest.mark.parametrize("scheme", Scheme)
@given(raw=st.binary(min_size=1, max_size=300))
@settings(deadline=None)
def test_a_chunk_comes_back_under_every_scheme(scheme: int, raw: bytes) -> None:
    assert decoded(stored(raw, scheme)) == raw


@pytest.mark.parametrize("size", [8191, 65_534, 131_069, 131_070, 131_071, 131_072])
def test_a_long_chunk_whose_bytes_were_grouped_comes_back(size: int) -> None:
    raw = lcg(size, 7)

    assert decoded(stored(raw, 2)) == raw


def test_bytes_that_were_grouped_by_four_find_their_places_again() -> None:
    grouped = bytes.fromhex("00040801050902060a0307")
    payload = lz4_frame.compress(grouped)

    raw = decode(ChunkHeader(Scheme.BG4_LZ4, len(payload), 11), memoryview(payload))

    assert bytes(raw) == bytes(range(11))


@pytest.mark.parametrize(
    ("version", "stored_len", "scheme", "raw_len"),
    [
        (1, 12, 0, 12),
        (0, 12, 3, 12),
        (0, 12, 0, 13),
        (0, 0, 0, 0),
        (0, 12, 1, 0),
        (0, 0, 1, 12),
        (0, 12, 1, 131073),
        (0, 131073, 0, 131073),
        (0, 262145, 1, 131072),
    ],
)
def test_a_header_outside_the_format_is_refused(
    version: int, stored_len: int, scheme: int, raw_len: int
) -> None:
    header = pack("<II", version | stored_len << 8, scheme | raw_len << 8)

    with pytest.raises(BadObject):
        parse_header(header)


@pytest.mark.parametrize("scheme", [1, 2])
@pytest.mark.parametrize("claim", [1, 99, 101, 131072])
def test_a_frame_of_another_length_than_it_claims_is_refused(scheme: int, claim: int) -> None:
    with pytest.raises(BadObject):
        decoded(stored(bytes(100), scheme, claim=claim))


def test_a_frame_that_would_burst_is_refused_without_unpacking_it() -> None:
    bomb = stored(bytes(60_000_000), 1, claim=1000)

    with pytest.raises(BadObject, match="1000 bytes"):
        decoded(bomb)


@pytest.mark.parametrize("content_size", [0, 2**63, 2**64 - 1])
def test_a_frame_that_lies_of_its_content_is_refused(content_size: int) -> None:
    frame = bytearray(lz4_frame.compress(bytes(100), store_size=True))
    frame[6:14] = content_size.to_bytes(8, "little")

    with pytest.raises(BadObject):
        decode(ChunkHeader(Scheme.LZ4, len(frame), 100), memoryview(bytes(frame)))


@pytest.mark.parametrize("extra", [b"\0", lz4_frame.compress(b"more")])
def test_bytes_after_the_frame_are_refused(extra: bytes) -> None:
    frame = lz4_frame.compress(bytes(100)) + extra

    with pytest.raises(BadObject):
        decode(ChunkHeader(Scheme.LZ4, len(frame), 100), memoryview(frame))


@given(st.binary(max_size=200), st.sampled_from([1, 2]), st.integers(1, 131072))
@settings(deadline=None)
def test_bytes_that_are_no_frame_are_refused(noise: bytes, scheme: int, raw_len: int) -> None:
    with pytest.raises(BadObject):
        decode(ChunkHeader(Scheme(scheme), len(noise), raw_len), memoryview(noise))
