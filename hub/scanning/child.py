"""The process in which files are looked at: it has a pipe to its parent, and nothing else.

It asks for the bytes that it wants to see, and answers with a verdict; see ``scanners.py``.
"""

import json
import os
from io import SEEK_CUR, SEEK_END, BufferedReader, RawIOBase
from struct import Struct

from hub.scanning.limits import begin_file, restrict
from hub.scanning.scan import scan
from hub.scanning.verdicts import failure

CHANNEL = 0
ASK = Struct("<cQQ")
LENGTH = Struct("<I")
READ, TELL = b"R", b"V"
_BUFFER_BYTES = 128 * 1024
_CODECS = ("ascii", "latin-1", "raw_unicode_escape", "unicode_escape", "utf-8", "cp437", "utf-16")


class Asked(RawIOBase):
    """A file whose bytes the parent gives piece by piece."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {SEEK_CUR: self._at, SEEK_END: self._size}.get(whence, 0)
        if base + offset < 0:
            raise ValueError("There is nothing before a file.")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, into: "memoryview | bytearray") -> int:  # type: ignore[override]
        stop = min(self._at + len(into), self._size)
        if stop <= self._at:
            return 0
        _send(ASK.pack(READ, self._at, stop))
        piece = _receive(stop - self._at)
        into[: len(piece)] = piece
        self._at = stop
        return len(piece)


def main() -> None:
    """Look at file after file until the parent has no more."""
    for name in _CODECS:
        "x".encode(name).decode(name)
    _send(b"1" if restrict() else b"0")
    while header := _read_some(LENGTH.size):
        (length,) = LENGTH.unpack(header + _receive(LENGTH.size - len(header)))
        _answer(json.loads(_receive(length)))


def _answer(job: dict[str, object]) -> None:
    begin_file()
    size, name = int(str(job["size"])), str(job["name"])
    try:
        with BufferedReader(Asked(size), _BUFFER_BYTES) as file:
            verdict = scan(file, size, name)
    # Whatever a hostile file makes a parser raise, it has got no verdict by it.
    except Exception as fault:  # noqa: BLE001
        verdict = failure(f"The scanner gave up: {type(fault).__name__}.")
    told = json.dumps(verdict.to_json()).encode()
    _send(ASK.pack(TELL, 0, len(told)) + told)


def _read_some(size: int) -> bytes:
    return os.read(CHANNEL, size)


def _receive(size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        piece = _read_some(size)
        if not piece:
            raise SystemExit
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _send(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(CHANNEL, left) :]
