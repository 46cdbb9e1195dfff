"""PackWriter: a pack out of objects that are deflated already (gitformat-pack, version 2)."""

import hashlib
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from hub.git.objects import Kind

_OFS_DELTA = 6
_REF_DELTA = 7
_VERSION = 2
_MORE = 0x80
_TREE = int(Kind.TREE)
_FLUSHED_BYTES = 256 * 1024
"""Objects are small: hashed and written one by one they would cost more than they do joined."""


PackedRow = tuple[bytes, int, int, bytes | None, bytes]
"""Id, kind, size, base and what is stored. A plain tuple: a clone has tens of thousands of them."""


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
        self._bases: dict[bytes, int] = {}
        self._parts: list[bytes] = [struct.pack(">4sII", b"PACK", _VERSION, count)]
        self._at = len(self._parts[0])
        self._flush_at = _FLUSHED_BYTES

    def add(self, rows: Iterable[PackedRow]) -> None:
        """Add objects in full; the sizes are those of their bytes before they were deflated."""
        at = self._at
        for oid, kind, size, _base, deflated in rows:
            header = entry_header(kind, size)
            if kind == _TREE:
                self._bases[oid] = at
            # In the loop, not called for each: a clone has tens of thousands of them.
            self._parts += (header, deflated)
            at += len(header) + len(deflated)
            self._left -= 1
            if at >= self._flush_at:
                self._at = at
                self._flush()
        self._at = at

    def add_delta(self, base: bytes, size: int, deflated: bytes) -> None:
        """Add a delta against a tree that was added before; ``size`` is that of the delta."""
        start = self._bases[base]
        if self._near_deltas:
            header = entry_header(_OFS_DELTA, size) + distance(self._at - start)
        else:
            header = entry_header(_REF_DELTA, size) + base
        self._left -= 1
        self._parts += (header, deflated)
        self._at += len(header) + len(deflated)
        if self._at >= self._flush_at:
            self._flush()

    def has_base(self, oid: bytes) -> bool:
        return oid in self._bases

    def finish(self) -> int:
        """Write the checksum and answer the size of the pack in bytes."""
        if self._left:
            raise ValueError(f"{self._left} objects of the pack are missing")
        self._flush()
        self._sink.write(self._sha1.digest())
        return self._at + self._sha1.digest_size

    def _flush(self) -> None:
        piece = b"".join(self._parts)
        self._sha1.update(piece)
        self._sink.write(piece)
        self._parts.clear()
        self._flush_at = self._at + _FLUSHED_BYTES


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
