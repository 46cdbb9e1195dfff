"""Pkt-lines, the frames in which git talks, and the side bands in them (gitprotocol-common)."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Protocol

from teams.errors import Invalid

LENGTH_DIGITS = 4
MAX_DATA_BYTES = 65516
"""What one frame holds at most, beside the four digits of its length."""

DATA_BAND, PROGRESS_BAND, ERROR_BAND = 1, 2, 3


class Mark(Enum):
    """A frame without data that divides a conversation; the value is how it is written."""

    FLUSH = b"0000"
    DELIMITER = b"0001"
    RESPONSE_END = b"0002"


Packet = bytes | Mark


class Source(Protocol):
    """Where bytes come from: no more than ``size`` of them, none at the end."""

    def read(self, size: int, /) -> bytes: ...


def packet(data: bytes) -> bytes:
    """Frame ``data``, which must fit."""
    if len(data) > MAX_DATA_BYTES:
        raise ValueError(f"A packet of {len(data)} bytes does not exist")
    return b"%04x%s" % (len(data) + LENGTH_DIGITS, data)


def line(text: str) -> bytes:
    """Frame one line of text."""
    return packet(text.encode() + b"\n")


def on_band(band: int, data: bytes) -> bytes:
    """Frame ``data`` of any length for one of the three side bands."""
    step = MAX_DATA_BYTES - 1
    view = memoryview(data)
    parts: list[bytes | memoryview] = []
    for start in range(0, len(view), step):
        piece = view[start : start + step]
        # Joined once: whole packs go through here.
        parts += (b"%04x%c" % (len(piece) + LENGTH_DIGITS + 1, band), piece)
    return b"".join(parts)


def on_data_band(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Frame a stream for the band of data, and end it."""
    for piece in pieces:
        yield on_band(DATA_BAND, piece)
    yield Mark.FLUSH.value


_MARKS = {int(mark.value, 16): mark for mark in Mark}
_HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")


class PacketReader:
    """Reads packets off a source and not one byte beyond them: a pack may follow."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def next(self) -> Packet | None:
        """Answer the next packet, its data without a final line end; None at the end.

        Raises:
            Invalid: the source is cut off, or this is no packet.
        """
        digits = self._read(LENGTH_DIGITS)
        if not digits:
            return None
        if len(digits) < LENGTH_DIGITS or not _HEXADECIMAL.issuperset(digits):
            raise Invalid("That is not a pkt-line.")
        length = int(digits, 16)
        if length in _MARKS:
            return _MARKS[length]
        size = length - LENGTH_DIGITS
        if not 0 <= size <= MAX_DATA_BYTES:
            raise Invalid(f"A pkt-line cannot have the length {length}.")
        data = self._read(size)
        if len(data) < size:
            raise Invalid("A pkt-line is cut off.")
        return data.removesuffix(b"\n")

    def __iter__(self) -> Iterator[Packet]:
        while (found := self.next()) is not None:
            yield found

    def section(self) -> Iterator[bytes]:
        """The packets up to the next mark, or to the end."""
        while isinstance(found := self.next(), bytes):
            yield found

    def _read(self, size: int) -> bytes:
        data = self._source.read(size) if size else b""
        while 0 < len(data) < size and (more := self._source.read(size - len(data))):
            data += more
        return data
