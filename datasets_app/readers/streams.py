"""Open a file as a stream of what it holds, decompressed within limits; and tell how far it is."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits

Told = Callable[[int], None]
"""Is called with the number of bytes of the file that were read."""

COMPRESSED: Final = (".gz", ".bz2", ".zst", ".lz4", ".xz")
_BROKEN: Final = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
    *(pa.ArrowInvalid, NotImplementedError, RuntimeError),
)


class Counted(io.RawIOBase):
    """The bytes of a file as they lie there; tells how many were read."""

    def __init__(self, file: IO[bytes], told: Told) -> None:
        super().__init__()
        self._file, self._told, self.at = file, told, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self.at += len(piece)
        self._told(self.at)
        return len(piece)


class Guarded(io.RawIOBase):
    """Decompressed bytes, as long as there are not too many of them."""

    def __init__(self, file: Any, compressed: Callable[[], int], name: str) -> None:
        super().__init__()
        self._file, self._compressed, self._name = file, compressed, name
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._file.read(min(len(buffer), limits.MIB))
        except _BROKEN as reason:
            raise UnreadableFile(f"{self._name} cannot be decompressed: {reason}") from None
        buffer[: len(piece)] = piece
        self._given += len(piece)
        if self._given > limits.RATIO_FROM + limits.RATIO * self._compressed():
            raise UnreadableFile(
                f"{self._name} grows more than {limits.RATIO} times when it is decompressed.",
                viewer_code="TooBigContentError",
            )
        return len(piece)


def inner_name(name: str) -> str:
    """The name without the suffix of a compression."""
    for suffix in COMPRESSED:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


@contextmanager
def opened(path: Path, name: str, told: Told) -> Iterator[IO[bytes]]:
    """The content of a file, decompressed if its name says so."""
    with path.open("rb") as file:
        raw = Counted(file, told)
        if inner_name(name) == name:
            yield io.BufferedReader(raw, limits.MIB)
            return
        stream = _decompressed(io.BufferedReader(raw, limits.MIB), name)
        yield io.BufferedReader(Guarded(stream, lambda: raw.at, name), limits.MIB)


def _decompressed(raw: Any, name: str) -> Any:
    suffix = name[len(inner_name(name)) :].lower()
    try:
        match suffix:
            case ".gz":
                return gzip.GzipFile(fileobj=raw)
            case ".bz2":
                return bz2.BZ2File(raw)
            case ".xz":
                return lzma.LZMAFile(raw)
            case _:
                codec = {".zst": "zstd", ".lz4": "lz4"}[suffix]
                return pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec)
    except _BROKEN as reason:
        raise UnreadableFile(f"{name} cannot be decompressed: {reason}") from None


def members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The files in a zip file, in its order; what climbs out of it or hides is left out.

    Raises:
        UnreadableFile: it has too many.
    """
    found = archive.infolist()
    if len(found) > limits.MAX_MEMBERS:
        raise UnreadableFile(f"{name} has more than {limits.MAX_MEMBERS:,} members.")
    return [one for one in found if not one.is_dir() and _is_plain(one.filename)]


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    is_inside = not name.startswith("/") and "\\" not in name and ".." not in parts
    return is_inside and not any(part.startswith((".", "__")) for part in parts)


@contextmanager
def zipped(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    """A zip file.

    Raises:
        UnreadableFile: it is none.
    """
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as reason:
        raise UnreadableFile(f"{name} is no zip file that can be read: {reason}") from None
    with archive:
        yield archive


@contextmanager
def member(archive: zipfile.ZipFile, one: zipfile.ZipInfo, name: str) -> Iterator[IO[bytes]]:
    """The content of a member, decompressed; one that is compressed again is not."""
    shown = f"{name}/{one.filename}"
    try:
        stream = archive.open(one)
    except _BROKEN as reason:
        raise UnreadableFile(f"{shown} cannot be read: {reason}") from None
    with stream:
        yield io.BufferedReader(Guarded(stream, lambda: one.compress_size, shown), limits.MIB)
