"""Read an object of an S3 server as a stream that survives a broken connection."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

from hub.storage.digests import CHUNK_BYTES
from hub.storage.s3_access import errors_as_refusals

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ATTEMPTS: Final = 3
"""How often in a row a stream may break before it is given up."""

Get = Callable[[int], Any]
"""Answers the body of the object from an offset on; always of the same bytes."""


class S3Reader(io.RawIOBase):
    """The bytes of an object from ``start`` on, of which ``length`` are to come."""

    def __init__(self, get: Get, body: Any, start: int, length: int) -> None:
        self._get = get
        self._body = body
        self._at = start
        self._end = start + length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        room = memoryview(buffer)
        piece = self._piece(min(len(room), self._end - self._at))
        room[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        pieces = []
        while piece := self._piece(min(CHUNK_BYTES, self._end - self._at)):
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._body.close()
        super().close()

    def _piece(self, size: int) -> bytes:
        if not size:
            return b""
        with errors_as_refusals():
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    piece: bytes = self._body.read(size)
                    self._at += len(piece)
                except BotoCoreError:
                    if attempt == ATTEMPTS:
                        raise
                    self._body.close()
                    self._body = self._get(self._at)
                else:
                    return piece
        raise AssertionError("unreachable")
