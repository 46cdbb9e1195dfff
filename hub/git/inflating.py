"""Entries of a pack: their headers, and what is deflated in them (gitformat-pack)."""

import zlib
from collections.abc import Iterator

from hub.errors import BadObject

_PIECE_BYTES = 1024 * 1024
_MORE = 0x80
_MOST_SHIFT = 56
_SLACK_BYTES = 4096
"""How much more than the size of a small object is looked at in one go."""


def read_header(view: memoryview, at: int) -> tuple[int, int, int]:
    """Answer the type of the entry at ``at``, its size, and where the rest of it begins."""
    byte, at = _next(view, at)
    number, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & _MORE:
        if shift > _MOST_SHIFT:
            raise BadObject("An object tells an impossible size.")
        byte, at = _next(view, at)
        size |= (byte & 0x7F) << shift
        shift += 7
    return number, size, at


def read_distance(view: memoryview, at: int) -> tuple[int, int]:
    """Answer how far back the base of a delta lies, and where the delta itself begins."""
    byte, at = _next(view, at)
    distance = byte & 0x7F
    while byte & _MORE:
        if distance >> _MOST_SHIFT:
            raise BadObject("A delta tells an impossible place.")
        byte, at = _next(view, at)
        distance = (distance + 1) << 7 | byte & 0x7F
    return distance, at


def _next(view: memoryview, at: int) -> tuple[int, int]:
    if at >= len(view):
        raise BadObject("The pack is cut off.")
    return view[at], at + 1


def inflated(view: memoryview, at: int, size: int) -> tuple[bytes, int]:
    """Inflate the stream at ``at``, which says it holds ``size`` bytes; answer where it ends, too.

    Raises:
        BadObject: it is damaged, or has not as many bytes as it said.
    """
    if size <= _PIECE_BYTES:
        # Most are small and lie in one look at them; what does not is told apart below.
        chunk = view[at : at + size + _SLACK_BYTES]
        stream = zlib.decompressobj()
        try:
            raw = stream.decompress(chunk, size + 1)
        except zlib.error as problem:
            raise _damaged(problem) from None
        if stream.eof and len(raw) == size:
            return raw, at + len(chunk) - len(stream.unused_data)
    inflating = Inflating(view, at, size)
    return b"".join(inflating.pieces()), inflating.at


def _damaged(problem: zlib.error) -> BadObject:
    return BadObject(f"An object is damaged: {problem}.")


class Inflating:
    """Inflates one zlib stream that lies at ``at``; afterwards ``at`` is behind it."""

    def __init__(self, view: memoryview, at: int, size: int) -> None:
        self._view = view
        self._size = size
        self.at = at

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces of bounded size.

        Raises:
            BadObject: it is damaged, or has not as many bytes as it said.
        """
        stream = zlib.decompressobj()
        left = self._size
        window = min(self._size, _PIECE_BYTES) + _SLACK_BYTES
        while not stream.eof:
            chunk = self._view[self.at : self.at + window]
            if not chunk:
                raise BadObject("The pack is cut off.")
            try:
                # One byte more than is left shows a stream that is longer than it says.
                piece = stream.decompress(chunk, min(left, _PIECE_BYTES) + 1)
            except zlib.error as problem:
                raise _damaged(problem) from None
            # At the end both hold what is left of the chunk, before it only the second one.
            left_over = stream.unused_data or stream.unconsumed_tail
            self.at += len(chunk) - len(left_over)
            left -= len(piece)
            if left < 0:
                raise BadObject("An object has more bytes than it says.")
            yield piece
        if left:
            raise BadObject("An object has fewer bytes than it says.")
