"""GitBody: what a client of git sends, inflated if it came so (gitprotocol-http)."""

import zlib

from django.http import HttpRequest

from hub.http.uploads import Upload
from teams.errors import Invalid, TooLarge

_GZIP = zlib.MAX_WBITS | 16
_PIECE_BYTES = 64 * 1024
"""Packets are read a few bytes at a time; from here they are cut, not from the stream."""


class GitBody:
    """A body of at most ``most`` bytes, both as it comes and inflated."""

    def __init__(self, request: HttpRequest, *, most: int) -> None:
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        if encoding not in {"identity", "gzip", "x-gzip"}:
            raise Invalid(f"The content encoding {encoding[:40]!r} is not known, only gzip is.")
        self._upload = Upload(request, most=most)
        self._inflate = zlib.decompressobj(_GZIP) if "gzip" in encoding else None
        self._tail = b""
        self._piece, self._at = b"", 0
        self._left = self._most = most

    def read(self, size: int, /) -> bytes:
        """Answer the next bytes, none at the end.

        Raises:
            TooLarge: there are more than ``most``.
            Invalid: it is no gzip stream, or a cut one.
        """
        if self._at == len(self._piece):
            self._piece, self._at = self._next(), 0
        part = self._piece[self._at : self._at + size]
        self._at += len(part)
        return part

    def drain(self) -> None:
        """Read on to the end, within reason: who is cut off while sending never hears why."""
        self._upload.drain()

    def _next(self) -> bytes:
        if self._inflate is None:
            return self._upload.read(_PIECE_BYTES)
        piece = self._inflated(self._inflate)
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge(f"The body has more than {self._most:,} bytes.")
        return piece

    def _inflated(self, stream: "zlib._Decompress") -> bytes:
        piece = b""
        while not piece and not stream.eof:
            chunk = self._tail or self._upload.read(_PIECE_BYTES)
            if not chunk:
                raise Invalid("The body is cut off.")
            try:
                piece = stream.decompress(chunk, _PIECE_BYTES)
            except zlib.error as problem:
                raise Invalid(f"The body is not in gzip's format: {problem}.") from None
            self._tail = stream.unconsumed_tail
        return piece
