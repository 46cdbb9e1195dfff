"""One chunk as a xorb stores it: a header of eight bytes, then its bytes, mostly compressed."""

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

import blosc
from lz4 import frame as lz4_frame

from hub.errors import BadObject

HEADER_BYTES = 8
MAX_CHUNK_BYTES = 128 * 1024
MAX_STORED_CHUNK_BYTES = 2 * MAX_CHUNK_BYTES

_HEADER = Struct("<II")
_VERSION = 0

_NUMBER_BYTES = _U32_BYTES = 4
# Blosc's format of a chunk (README_CHUNK_FORMAT of c-blosc): versions, flags, size of a number,
# length, length of a block, length with header; where the only block starts, and its length.
_BLOSC = Struct("<4B3I2I")
_BLOSC_VERSIONS = (2, 1)
_BLOSC_SHUFFLED_WHOLE = 0x31
"""Bytes are shuffled, as one stream, said to be LZ4; as long as its block, it is not compressed."""
blosc.set_nthreads(1)


class Scheme(IntEnum):
    """How the bytes of a chunk are stored."""

    PLAIN = 0
    LZ4 = 1
    BG4_LZ4 = 2
    """Every fourth byte together, then LZ4: it suits numbers of four bytes."""


class ChunkHeader(NamedTuple):
    """What the eight bytes before a chunk say, within the limits of the format."""

    scheme: Scheme
    stored_len: int
    raw_len: int


def parse_header(raw: bytes | memoryview) -> ChunkHeader:
    """Read the first eight bytes of ``raw``.

    Raises:
        BadObject: they are fewer, or no chunk can have such a header.
    """
    if len(raw) < HEADER_BYTES:
        raise BadObject("The xorb ends within a chunk header.")
    first, second = _HEADER.unpack_from(raw)
    if first & 0xFF != _VERSION:
        raise BadObject(f"A chunk of version {first & 0xFF} is unknown to us.")
    if second & 0xFF > Scheme.BG4_LZ4:
        raise BadObject(f"The compression scheme {second & 0xFF} is unknown to us.")
    header = ChunkHeader(Scheme(second & 0xFF), first >> 8, second >> 8)
    if not 0 < header.raw_len <= MAX_CHUNK_BYTES:
        raise BadObject(f"A chunk cannot be {header.raw_len} bytes long.")
    if not 0 < header.stored_len <= MAX_STORED_CHUNK_BYTES:
        raise BadObject(f"A chunk cannot be stored in {header.stored_len} bytes.")
    if header.scheme is Scheme.PLAIN and header.stored_len != header.raw_len:
        raise BadObject("An uncompressed chunk has two different lengths.")
    return header


def decode(header: ChunkHeader, stored: memoryview) -> bytes | memoryview:
    """Answer the raw bytes of a chunk.

    Raises:
        BadObject: they do not decompress to exactly the length of the header.
    """
    match header.scheme:
        case Scheme.PLAIN:
            return stored
        case Scheme.LZ4:
            return _decompress(stored, header.raw_len)
        case Scheme.BG4_LZ4:
            return _interleave(_decompress(stored, header.raw_len))


def _decompress(stored: memoryview, raw_len: int) -> bytes:
    """One LZ4 frame and nothing after it.

    A frame may grow 255-fold, so it gets room for one byte more than it claims; whether there
    was such a byte shows that it lied.
    """
    context = lz4_frame.create_decompression_context()
    try:
        raw, used, complete = lz4_frame.decompress_chunk(context, stored, max_length=raw_len + 1)
    except RuntimeError as error:
        raise BadObject("A chunk is not a valid LZ4 frame.") from error
    if not complete or used != len(stored) or len(raw) != raw_len:
        raise BadObject(f"A chunk does not decompress to the {raw_len} bytes of its header.")
    return bytes(raw)


def _interleave(grouped: bytes) -> bytes | memoryview:
    """Undo BG4: the bytes at 0, 4, 8… came first, then those at 1, 5, 9…, and so on.

    Blosc does the same to numbers, with vector instructions; so it is told that this was its own
    work. It takes whole numbers only: the last is filled up, and what was filled is left out.
    """
    missing = -len(grouped) % _NUMBER_BYTES
    size = len(grouped) + missing
    groups = _filled(grouped, size // _NUMBER_BYTES, missing) if missing else [grouped]
    head = _BLOSC.pack(
        *_BLOSC_VERSIONS,
        _BLOSC_SHUFFLED_WHOLE,
        _NUMBER_BYTES,
        size,
        size,
        _BLOSC.size + size,
        _BLOSC.size - _U32_BYTES,
        size,
    )
    raw: bytes = blosc.decompress(b"".join([head, *groups]))
    return memoryview(raw)[: len(grouped)] if missing else raw


def _filled(grouped: bytes, length: int, missing: int) -> list[bytes | memoryview]:
    """The four groups, those at the end filled up to ``length``, of which each lacks one byte."""
    view = memoryview(grouped)
    whole = (_NUMBER_BYTES - missing) * length
    groups: list[bytes | memoryview] = [view[:whole]]
    for number in range(missing):
        start = whole + number * (length - 1)
        groups += [view[start : start + length - 1], b"\0"]
    return groups
