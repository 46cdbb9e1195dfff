from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.git.pkt_line import (
    MAX_DATA_BYTES,
    Mark,
    Packet,
    PacketReader,
    line,
    on_band,
    on_data_band,
    packet,
)
from teams.errors import Invalid

PACKETS = st.lists(st.one_of(st.binary(max_size=300), st.sampled_from(Mark)), max_size=20)


class Drip(BytesIO):
    """A source that never gives more than three bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 3))


def written(packets: Sequence[Packet]) -> bytes:
    return b"".join(one.value if isinstance(one, Mark) else packet(one) for one in packets)


def test_a_line_tells_its_length_in_hexadecimal() -> None:
    assert line("hello") == b"000ahello\n"


@given(PACKETS)
@settings(deadline=None)
def test_what_is_written_is_read_again(packets: Sequence[Packet]) -> None:
    read = list(PacketReader(Drip(written(packets))))

    assert read == [p.removesuffix(b"\n") if isinstance(p, bytes) else p for p in packets]


@given(st.binary(max_size=400), PACKETS)
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_read_or_refused(noise: bytes, packets: Sequence[Packet]) -> None:
    with suppress(Invalid):
        list(PacketReader(BytesIO(written(packets) + noise)))


@pytest.mark.parametrize("bad", [b"00", b"zzzz", b"0003", b"+00a", b"fff1", b"ffff", b"000ahell"])
def test_what_is_no_packet_is_refused(bad: bytes) -> None:
    with pytest.raises(Invalid):
        PacketReader(BytesIO(bad)).next()


def test_a_reader_leaves_the_pack_that_follows_where_it_is() -> None:
    source = BytesIO(line("one") + Mark.FLUSH.value + b"PACK")

    assert list(PacketReader(source).section()) == [b"one"]
    assert source.read() == b"PACK"


def test_a_packet_of_the_largest_size_is_read_and_a_larger_one_is_not_written() -> None:
    largest = b"x" * MAX_DATA_BYTES

    assert PacketReader(BytesIO(packet(largest))).next() == largest
    with pytest.raises(ValueError, match="65517"):
        packet(largest + b"x")


def test_a_side_band_splits_what_is_long_and_marks_each_piece() -> None:
    data = bytes(range(256)) * 600

    pieces = [one for one in PacketReader(BytesIO(on_band(2, data))) if isinstance(one, bytes)]

    assert {piece[0] for piece in pieces} == {2}
    assert b"".join(piece[1:] for piece in pieces) == data


def test_the_band_of_data_ends_with_a_flush() -> None:
    assert list(on_data_band([b"a"])) == [b"0006\x01a", b"0000"]
