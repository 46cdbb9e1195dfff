"""BlobStore in memory: a shipped double for tests, with an end that can be reached."""

import io
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import BinaryIO, Self

from hub.errors import BlobNotFound
from hub.storage.digests import checked_key, checked_name, checked_prefix, digest_of
from hub.storage.links import NoLinks
from hub.storage.ports import Staged
from teams.errors import OutOfSpace


class MemoryStore(NoLinks):
    """Keeps everything in two dictionaries; ``capacity`` is its disk, in bytes."""

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity
        self._used = 0
        self._staged: dict[str, tuple[bytes, datetime]] = {}
        self._blobs: dict[str, tuple[bytes, datetime]] = {}
        self._lock = Lock()

    def stage(self, chunks: Iterable[bytes], *, name: str | None = None) -> Staged:
        with self.open_stage(name=name) as writer:
            for chunk in chunks:
                writer.write(chunk)
            return writer.finish()

    def open_stage(self, *, name: str | None = None, hashed: bool = True) -> "MemoryWriter":
        name = secrets.token_hex(16) if name is None else checked_name(name)
        return MemoryWriter(self, name, hashed=hashed)

    def open_staged(self, name: str) -> BinaryIO:
        return io.BytesIO(self._part(name))

    def join(self, names: Sequence[str]) -> Staged:
        return self.stage([self._part(name) for name in names])

    def publish(self, staged: Staged | str, key: str) -> bool:
        name = checked_name(staged if isinstance(staged, str) else staged.name)
        checked_key(key)
        with self._lock:
            part = self._staged.pop(name, None)
            if key in self._blobs:
                self._used -= len(part[0]) if part else 0
                return False
            if part is None:
                raise BlobNotFound(f"Nothing is staged as {name}.")
            self._blobs[key] = part[0], datetime.now(UTC)
            return True

    def abandon(self, name: str) -> None:
        checked_name(name)
        with self._lock:
            part = self._staged.pop(name, None)
            self._used -= len(part[0]) if part else 0

    def stale(self, older_than: datetime) -> Iterator[str]:
        with self._lock:
            staged = {name: written for name, (_, written) in self._staged.items()}
        yield from (name for name, written in staged.items() if written < older_than)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"No range starts at {start} with {length} bytes")
        try:
            blob, _ = self._blobs[checked_key(key)]
        except KeyError:
            raise BlobNotFound(f"There are no bytes under {key}.") from None
        return io.BytesIO(blob[start:] if length is None else blob[start : start + length])

    def size(self, key: str) -> int | None:
        blob = self._blobs.get(checked_key(key))
        return None if blob is None else len(blob[0])

    def published_at(self, key: str) -> datetime | None:
        blob = self._blobs.get(checked_key(key))
        return None if blob is None else blob[1]

    def path(self, key: str) -> Path | None:
        checked_key(key)
        return None

    def drop(self, key: str) -> None:
        checked_key(key)
        with self._lock:
            blob = self._blobs.pop(key, None)
            self._used -= len(blob[0]) if blob else 0

    def keys(self, prefix: str = "") -> Iterator[str]:
        checked_prefix(prefix)
        with self._lock:
            found = sorted(key for key in self._blobs if key.startswith(prefix))
        yield from found

    def free_bytes(self) -> int | None:
        return None if self._capacity is None else self._capacity - self._used

    def take(self, size: int) -> None:
        """Make room for bytes, or refuse; a negative size gives room back."""
        with self._lock:
            if self._capacity is not None and self._used + size > self._capacity:
                raise OutOfSpace
            self._used += size

    def hold(self, name: str, content: bytes) -> None:
        """Keep bytes for which room was taken, in place of what had that name."""
        with self._lock:
            former, _ = self._staged.get(name, (b"", None))
            self._used -= len(former)
            self._staged[name] = content, datetime.now(UTC)

    def _part(self, name: str) -> bytes:
        try:
            return self._staged[checked_name(name)][0]
        except KeyError:
            raise BlobNotFound(f"Nothing is staged as {name}.") from None


class MemoryWriter:
    """StageWriter of a MemoryStore."""

    def __init__(self, store: MemoryStore, name: str, *, hashed: bool) -> None:
        self._store = store
        self._name = name
        self._hashed = hashed
        self._content = bytearray()
        self._open = True

    def write(self, chunk: bytes | memoryview, /) -> None:
        if not self._open:
            raise ValueError("These bytes are finished or abandoned")
        try:
            self._store.take(len(chunk))
        except OutOfSpace:
            self.abandon()
            raise
        self._content += chunk

    def finish(self) -> Staged:
        if not self._open:
            raise ValueError("These bytes are finished or abandoned")
        self._open = False
        content = bytes(self._content)
        self._store.hold(self._name, content)
        digest = digest_of([content])
        return Staged(self._name, digest.size, digest.sha256 if self._hashed else b"")

    def abandon(self) -> None:
        if self._open:
            self._open = False
            self._store.take(-len(self._content))

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
