"""StraightBody: the body of a request as gunicorn's socket gives it, without copies on the way."""

from typing import Final, Self

from django.http import UnreadablePostError
from gunicorn.http.body import Body, LengthReader

_LEAST_BYTES: Final = 64 * 1024
"""What comes in smaller pieces is put together: a piece must be worth the work that it makes."""


class StraightBody:
    """A body of known length, which hands out what it receives.

    gunicorn's own ``Body`` copies all bytes twice, until it has as many as it was asked for.
    """

    @classmethod
    def of(cls, body: object) -> Self | None:
        """The same body read so; None where that can't be: another server's, or a chunked one."""
        if isinstance(body, Body) and isinstance(body.reader, LengthReader):
            return None if body.buf.tell() else cls(body)
        return None

    def __init__(self, body: Body) -> None:
        self._body = body
        self._reader: LengthReader = body.reader

    def read(self, size: int, /) -> bytes:
        """Answer the next bytes, at most ``size``; none at the end, or if the client went away.

        Raises:
            UnreadablePostError: the connection broke.
        """
        piece = self._received(size)
        if not piece or len(piece) >= min(size, _LEAST_BYTES):
            return piece
        pieces, held = [piece], len(piece)
        while held < min(size, _LEAST_BYTES) and (piece := self._received(size - held)):
            pieces.append(piece)
            held += len(piece)
        return b"".join(pieces)

    def _received(self, size: int) -> bytes:
        most = min(size, self._reader.length)
        if most <= 0:
            return b""
        try:
            # What was read with the headers, if any is left of it, or else from the socket.
            piece: bytes = self._reader.unreader.read(None, read_ahead=most)
        except OSError as error:
            self._body.failed = True
            raise UnreadablePostError(*error.args) from error
        if len(piece) > most:
            self._reader.unreader.unread(piece[most:])
            piece = piece[:most]
        # gunicorn looks here for what is left to be skipped before the next request.
        self._reader.length -= len(piece)
        return piece
