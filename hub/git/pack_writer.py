"""PackWriter: a pack out of objects that are deflated already (gitformat-pack, version 2)."""

import hashlib
import struct
from functools import lru_cache
from typing import Protocol

from hub.git.objects import Kind

_OFS_DELTA = 6
_REF_DELTA = 7
_VERSION = 2
_MORE = 0x80
_FLUSHED_BYTES = 256 * 1024
"""Objects are small: hashed and written one by one they would cost more than they do joined."""


class Sink(Protocol):
    """Where a pack is written to."""

    def write(self, data: bytes, /) -> object: ...


class PackWriter:
    """Writes one pack of a known number of objects.

    With ``near_deltas`` a delta names its base by distance, which is shorter; the caller must have
    offered to read that (``ofs-delta``).
    """

    def __init__(self, sink: Sink, count: int, *, near_deltas: bool) -> None:
        self._sink = sink
        self._left = count
        self._near_deltas = near_deltas
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._at = 0
        self._bases: dict[bytes, int] = {}
        self._parts: list[bytes] = []
        self._part_bytes = 0
        self._write(struct.pack(">4sII", b"PACK", _VERSION, count))

    def add(self, oid: bytes, kind: Kind, size: int, deflated: bytes) -> None:
        """Add an object in full; ``size`` is that of its bytes before they were deflated."""
        if kind is Kind.TREE:
            self._bases[oid] = self._at
        self._add(entry_header(kind, size), deflated)

    def add_delta(self, base: bytes, size: int, deflated: bytes) -> None:
        """Add a delta against a tree that was added before; ``size`` is that of the delta."""
        start = self._bases[base]
        if self._near_deltas:
            header = entry_header(_OFS_DELTA, size) + distance(self._at - start)
        else:
            header = entry_header(_REF_DELTA, size) + base
        self._add(header, deflated)

    def has_base(self, oid: bytes) -> bool:
        return oid in self._bases

    def finish(self) -> int:
        """Write the checksum and answer the size of the pack in bytes."""
        if self._left:
            raise ValueError(f"{self._left} objects of the pack are missing")
        self._flush()
        self._sink.write(self._sha1.digest())
        return self._at + self._sha1.digest_size

    def _add(self, header: bytes, deflated: bytes) -> None:
        self._left -= 1
        self._write(header)
        self._write(deflated)

    def _write(self, data: bytes) -> None:
        self._parts.append(data)
        self._at += len(data)
        self._part_bytes += len(data)
        if self._part_bytes >= _FLUSHED_BYTES:
            self._flush()

    def _flush(self) -> None:
        piece = b"".join(self._parts)
        self._sha1.update(piece)
        self._sink.write(piece)
        self._parts, self._part_bytes = [], 0


@lru_cache(maxsize=4096)
def entry_header(kind: int, size: int) -> bytes:
    """Write type and size: four bits of the size in the first byte, then seven in each."""
    byte, size = kind << 4 | size & 0x0F, size >> 4
    out = bytearray()
    while size:
        out.append(byte | _MORE)
        byte, size = size & 0x7F, size >> 7
    out.append(byte)
    return bytes(out)


def distance(offset: int) -> bytes:
    """Write how far back a base lies: high bits first, and each number in one way only."""
    out = [offset & 0x7F]
    offset >>= 7
    while offset:
        offset -= 1
        out.append(_MORE | offset & 0x7F)
        offset >>= 7
    return bytes(reversed(out))
