"""How a LocalStore writes bytes aside: in large blocks, hashed while they are written."""

import ctypes
import errno
import io
import os
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hub.storage.digests import CHUNK_BYTES, Count, Digest, Tally
from hub.storage.ports import Staged
from teams.errors import OutOfSpace

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_WRITEBACK_BYTES: Final = 32 * CHUNK_BYTES
_SYNC_FILE_RANGE_WRITE: Final = 2
_MOST_BLOCKS: Final = 256
"""As many as are written by one call, for small blocks."""
_MOST_PENDING: Final = 2
"""How many turns hashing may lag behind: what they hold is held in memory."""

Blocks = Sequence[bytes | memoryview]


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Speak of a full disk, or of a used-up quota, as the refusal that it is."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise OutOfSpace from error
        raise


class LocalWriter:
    """StageWriter on a file system: always a fresh file, which takes its name once it is whole."""

    def __init__(self, name: str, home: Path, *, hashed: bool) -> None:
        self._name = name
        self._home = home
        self._aside = home.with_name(fresh_name())
        self._blocks: list[bytes | memoryview] = []
        self._block_bytes = 0
        self._tally = _TallyBeside(Tally() if hashed else Count())
        self._writeback = _Writeback()
        with full_disk_refused():
            self._file = self._aside.open("xb", buffering=0)

    def write(self, chunk: bytes | memoryview, /) -> None:
        self._check_open()
        self._blocks.append(chunk)
        self._block_bytes += len(chunk)
        if self._block_bytes >= CHUNK_BYTES or len(self._blocks) == _MOST_BLOCKS:
            with self._nothing_left_on_failure():
                self._flush()

    def finish(self) -> Staged:
        self._check_open()
        with self._nothing_left_on_failure():
            self._flush()
            self._file.close()
            digest = self._tally.digest()
            self._aside.replace(self._home)
        return Staged(self._name, digest.size, digest.sha256)

    def abandon(self) -> None:
        if not self._file.closed:
            self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.abandon()

    def _check_open(self) -> None:
        if self._file.closed:
            raise ValueError("These bytes are finished or abandoned")

    def _flush(self) -> None:
        blocks, self._blocks, self._block_bytes = self._blocks, [], 0
        self._tally.add(blocks)
        _write_all(self._file, blocks)
        self._writeback.follow(self._file)

    @contextmanager
    def _nothing_left_on_failure(self) -> Iterator[None]:
        try:
            with full_disk_refused():
                yield
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        self._tally.close()
        # Some file systems say only now that the disk is full; the bytes go anyway.
        with suppress(OSError):
            self._file.close()
        self._aside.unlink(missing_ok=True)


def fresh_name() -> str:
    return secrets.token_hex(16)


class _TallyBeside:
    """A Tally in a thread of its own: hashing some blocks and writing them take the same moment."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._thread: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()

    def add(self, blocks: Blocks) -> None:
        if self._thread is None:
            # What is smaller comes last, and for a small file alone a thread does not pay.
            if sum(map(len, blocks)) < CHUNK_BYTES or isinstance(self._tally, Count):
                self._add(blocks)
                return
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="tally")
        self._wait(_MOST_PENDING - 1)
        self._pending.append(self._thread.submit(self._add, blocks))

    def digest(self) -> Digest:
        self._wait(0)
        self.close()
        return self._tally.digest()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _add(self, blocks: Blocks) -> None:
        for block in blocks:
            self._tally.add(block)

    def _wait(self, left: int) -> None:
        """Wait until no more than so many turns of hashing are to be done."""
        while len(self._pending) > left:
            self._pending.popleft().result()


class _Writeback:
    """Sends a growing file to the disk as it grows, so that the fsync at its end finds little.

    ``sync_file_range(2)``: it starts the writing and waits for nothing; where there is no such
    call, the fsync does all of the work. It promises nothing, so nothing is made of its answer.
    """

    _call = getattr(ctypes.CDLL(None), "sync_file_range", None)

    def __init__(self) -> None:
        self._sent = 0

    def follow(self, file: io.FileIO) -> None:
        written = file.tell()
        if self._call is None or written - self._sent < _WRITEBACK_BYTES:
            return
        start, length = ctypes.c_int64(self._sent), ctypes.c_int64(written - self._sent)
        self._call(file.fileno(), start, length, _SYNC_FILE_RANGE_WRITE)
        self._sent = written


def _write_all(file: io.FileIO, blocks: Blocks) -> None:
    """Write blocks whole: a raw file may take less than it is given."""
    written = os.writev(file.fileno(), blocks)
    if written == sum(map(len, blocks)):
        return
    rest = memoryview(b"".join(blocks))[written:]
    while rest:
        rest = rest[file.write(rest) :]
