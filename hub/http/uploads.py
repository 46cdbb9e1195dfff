"""Bodies of uploads: streams of any length, read once and never held in memory."""

from collections.abc import Iterator

from django.http import HttpRequest

from hub.http.straight import StraightBody
from hub.storage.digests import CHUNK_BYTES
from teams.errors import TooLarge

_DRAIN_BYTES = 128 * 1024 * 1024
"""How much of a refused body is still read: who is cut off while sending never hears why."""


class Upload:
    """The body of a request, as a file that refuses to be longer than ``most`` bytes."""

    def __init__(self, request: HttpRequest, *, most: int) -> None:
        environ = request.META
        # Django reads no further than Content-Length, and takes a chunked body for an empty one.
        is_chunked = environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated")
        body = environ["wsgi.input"]
        self._source = body if is_chunked else StraightBody.of(body) or request
        self._left = most
        self._most = most
        announced = environ.get("CONTENT_LENGTH") or "0"
        self.announced = int(announced) if announced.isdigit() and not is_chunked else None
        """How many bytes the caller promised; None where the body is chunked."""

    def check_length(self) -> None:
        """Refuse by Content-Length alone.

        Raises:
            TooLarge: it promises more than we take.
        """
        if self.announced is not None and self.announced > self._most:
            raise TooLarge(f"The body has {self.announced:,} bytes; at most {self._most:,} fit.")

    def read(self, size: int, /) -> bytes:
        """Answer the next bytes, none at the end.

        Raises:
            TooLarge: the body goes on after ``most`` bytes.
        """
        piece: bytes = self._source.read(min(size, self._left + 1))
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge(f"The body has more than {self._most:,} bytes.")
        return piece

    def pieces(self) -> Iterator[bytes]:
        while piece := self.read(CHUNK_BYTES):
            yield piece

    def drain(self) -> None:
        """Read on to the end, within reason."""
        left = _DRAIN_BYTES
        while left > 0 and (piece := self._source.read(CHUNK_BYTES)):
            left -= len(piece)
