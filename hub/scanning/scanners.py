"""Scanners: the parent's side of the process in which files are looked at.

Parsers of what strangers send run in a child without files, network or room to grow. It sees only
the bytes that it asks for, so of a file of many gigabytes no more is read than it takes.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from hub.scanning.child import ASK, LENGTH, READ
from hub.scanning.verdicts import Verdict, failure

log = structlog.get_logger(__name__)

ReadRange = Callable[[int, int], Iterator[bytes]]
"""Answers the bytes ``[start:stop]`` of a file in pieces."""
FILE_SECONDS = 300.0
"""How long looking at one file may take, with all the reading."""
_START_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[2]
_CODE = "import sys; sys.path.append(sys.argv[1]); from hub.scanning.child import main; main()"
_MOST_ANSWER_BYTES = 4 * 1024 * 1024


class Scanners:
    """One child after another; as a context it leaves none behind."""

    def __init__(self, *, file_seconds: float = FILE_SECONDS) -> None:
        self._file_seconds = file_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def scan(self, name: str, size: int, read: ReadRange) -> Verdict:
        """Look at one file. What kills the scanner, or takes too long, has no verdict but that.

        Raises:
            Whatever ``read`` does: that the bytes cannot be had says nothing about them.
        """
        channel = self._open()
        is_done = False
        try:
            told = _ask(channel, name, size, read, time.monotonic() + self._file_seconds)
            is_done = True
        except TimeoutError:
            return failure("Looking at this file took too long.")
        except (ConnectionError, _Gone):
            return failure("The scanner did not survive this file.")
        finally:
            if not is_done:
                self._end()
        try:
            return Verdict.from_json(json.loads(told))
        except (ValueError, KeyError, TypeError):
            self._end()
            return failure("The scanner said what nobody understands.")

    def _open(self) -> socket.socket:
        if self._channel is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._child = subprocess.Popen(  # noqa: S603 - a command of our own
                    [sys.executable, "-I", "-B", "-c", _CODE, str(_ROOT)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
            self._channel = ours
            ours.settimeout(_START_SECONDS)
            if ours.recv(1) == b"0":
                log.warning("scanner_is_not_confined", reason="this kernel filters no calls")
        return self._channel

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._channel = self._child = None


class _Gone(Exception):
    """The child closed its end, or speaks nonsense."""


def _ask(channel: socket.socket, name: str, size: int, read: ReadRange, deadline: float) -> bytes:
    job = json.dumps({"name": name, "size": size}).encode()
    _set_time(channel, deadline)
    channel.sendall(LENGTH.pack(len(job)) + job)
    while True:
        asked, start, stop = ASK.unpack(_receive(channel, ASK.size, deadline))
        if asked == READ and start < stop <= size:
            for piece in read(start, stop):
                _set_time(channel, deadline)
                channel.sendall(piece)
        elif asked != READ and stop <= _MOST_ANSWER_BYTES:
            return _receive(channel, stop, deadline)
        else:
            raise _Gone


def _receive(channel: socket.socket, size: int, deadline: float) -> bytes:
    pieces: list[bytes] = []
    while size:
        _set_time(channel, deadline)
        piece = channel.recv(size)
        if not piece:
            raise _Gone
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _set_time(channel: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    channel.settimeout(left)
