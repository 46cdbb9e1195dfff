"""BlobStore: the port behind which all bytes of files lie, wherever that is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes that were written aside and hashed by us, and have no key yet."""

    name: str
    size: int
    sha256: bytes
    """Empty where the caller wanted none: it hashes the bytes in its own way."""


@dataclass(frozen=True, slots=True)
class Link:
    """Leave for its bearer to send bytes straight to the store: one PUT with these headers and the
    true length."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LinkedParts:
    """Leave to send bytes straight to the store in parts: one PUT for each URL, in order."""

    upload: str
    """What the store calls this upload."""
    urls: Sequence[str]


class StageWriter(Protocol):
    """Takes bytes aside piece by piece; as a context it leaves nothing unless it was finished."""

    def write(self, chunk: bytes | memoryview, /) -> None:
        """Take the next bytes, which must not change until ``finish``."""
        ...

    def finish(self) -> Staged: ...

    def abandon(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...


class BlobStore(Protocol):
    """Write-once bytes by key: staged first, published whole, never changed.

    A store without room raises ``teams.errors.OutOfSpace``, leaves nothing of what it was about
    to write, and goes on serving what it has. Keys and names that no builder of
    ``hub.storage.digests`` makes are bugs: ValueError.
    """

    def stage(self, chunks: Iterable[bytes], *, name: str | None = None) -> Staged:
        """Write bytes aside. A name of one's own replaces, once whole, what had that name."""
        ...

    def open_stage(self, *, name: str | None = None, hashed: bool = True) -> StageWriter:
        """The same for a caller that pushes."""
        ...

    def open_staged(self, name: str) -> BinaryIO:
        """A stream of staged bytes; BlobNotFound if there are none."""
        ...

    def join(self, names: Sequence[str]) -> Staged:
        """Stage the concatenation of staged parts, which stay as they are."""
        ...

    def publish(self, staged: Staged | str, key: str) -> bool:
        """Put staged bytes under their key, all at once and for good.

        False when the key was there already: then what it holds stays and the staged bytes are
        dropped. To publish again what was published under this key is no error.
        """
        ...

    def abandon(self, name: str) -> None:
        """Drop staged bytes, if they are there."""
        ...

    def stale(self, older_than: datetime) -> Iterator[str]:
        """Names of what was staged, whole or not, and last written before that moment."""
        ...

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """A stream of that range, cut at the end of the bytes; BlobNotFound if there are none.

        It reads forward and closes; a file on this machine also has a ``fileno`` that stands at
        ``start``, so that a server may send from it without reading.
        """
        ...

    def size(self, key: str) -> int | None:
        """How many bytes lie under the key, or None when nothing does."""
        ...

    def published_at(self, key: str) -> datetime | None:
        """When the bytes under the key were published, or None when there are none."""
        ...

    def path(self, key: str) -> Path | None:
        """The file that holds these bytes on this machine, or None."""
        ...

    def drop(self, key: str) -> None:
        """Forget the bytes under a key, if they are there."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every key that begins so, in order."""
        ...

    def free_bytes(self) -> int | None:
        """How much more fits, or None where nobody knows."""
        ...

    # A store that clients can reach takes some of the work off us. None: it does not.

    def sign_get(
        self, key: str, *, lasts: timedelta, disposition: str = "", media_type: str = ""
    ) -> str | None:
        """A URL from which its bearer may get the bytes under a key, with ranges."""
        ...

    def sign_span(self, key: str, span: tuple[int, int], *, lasts: timedelta) -> str | None:
        """A URL from which its bearer may get the bytes ``[start:stop]`` under a key, no others.

        It has to be asked with a Range header of exactly these bytes.
        """
        ...

    def sign_put(self, name: str, *, size: int, lasts: timedelta) -> Link | None:
        """A link by which its bearer may stage exactly so many bytes, as often as it lives.

        What came by it is nobody's word but the sender's: ``withdraw`` it before it is read.
        """
        ...

    def sign_parts(
        self, name: str, *, sizes: Sequence[int], lasts: timedelta
    ) -> LinkedParts | None:
        """The same for bytes that come in parts of these sizes."""
        ...

    def end_parts(self, name: str, upload: str, *, parts: int) -> None:
        """Stage what came in parts under its name; the links to them are then worth nothing.

        BlobNotFound if a part is missing, or the upload is over.
        """
        ...

    def withdraw(self, name: str) -> str:
        """Take staged bytes out of the reach of whoever has a link to them; answer their new name.

        BlobNotFound if there are none.
        """
        ...
