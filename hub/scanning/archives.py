"""Members of archives, within limits: no bomb costs more than we are willing to read."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from struct import Struct
from struct import error as struct_error
from typing import BinaryIO, NamedTuple, Protocol

from hub.scanning.sniffing import Kind

MOST_MEMBERS = 100_000
MOST_MEMBER_BYTES = 256 * 1024 * 1024
"""Of one member that has to be read as a whole."""
MOST_BYTES = 1024 * 1024 * 1024
"""Of all members of one file together."""
PEEK_BYTES = 4096
_PIECE_BYTES = 1024 * 1024
_LOCAL_HEADER = Struct("<4s5H3I2H")
_STORED, _DEFLATED = 0, 8

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    struct_error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
)
"""How archives say that they are damaged, or none."""


class Bomb(Exception):
    """The archive unpacks to more than anybody looks at."""


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    head: bytes
    size: int
    read: Callable[[], bytes]
    """All of it.

    Raises:
        Bomb: that is too much.
    """


class Source(Protocol):
    """What can be read."""

    def read(self, size: int = ..., /) -> bytes: ...


class Budget:
    """How much may still be unpacked of one file."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._left = most

    def read(self, source: Source, most: int = MOST_MEMBER_BYTES) -> bytes:
        """Read a stream to its end.

        Raises:
            Bomb: it does not end in time.
        """
        pieces: list[bytes] = []
        nbytes = 0
        while piece := source.read(_PIECE_BYTES):
            nbytes += len(piece)
            self._left -= len(piece)
            if nbytes > most or self._left < 0:
                raise Bomb
            pieces.append(piece)
        return b"".join(pieces)


def members(file: BinaryIO, kind: Kind, budget: Budget) -> Iterator[Member]:
    """The members of an archive of that kind.

    Raises:
        Bomb: there are more than anybody looks at.
        BROKEN: it is damaged.
    """
    found = _of_zip(file, budget) if kind is Kind.ZIP else _of_tar(file, budget)
    for number, member in enumerate(found):
        if number >= MOST_MEMBERS:
            raise Bomb
        yield member


def unpacked(file: BinaryIO, kind: Kind, budget: Budget) -> bytes:
    """What a compressed file holds.

    Raises:
        Bomb: that is too much.
        BROKEN: it is damaged.
    """
    opener = _OPENERS[kind]
    return budget.read(opener(file))


class _Inflating:
    """A zlib or raw deflate stream as a file."""

    def __init__(self, source: Source, wbits: int = zlib.MAX_WBITS) -> None:
        self._source = source
        self._inflate = zlib.decompressobj(wbits)

    def read(self, size: int = _PIECE_BYTES) -> bytes:
        while not self._inflate.eof:
            data = self._inflate.unconsumed_tail or self._source.read(_PIECE_BYTES)
            piece = self._inflate.decompress(data, size)
            if piece or not data:
                return piece
        return b""


_OPENERS: dict[Kind, Callable[[BinaryIO], Source]] = {
    Kind.GZIP: lambda source: gzip.GzipFile(fileobj=source),
    Kind.BZIP2: bz2.BZ2File,
    Kind.XZ: lzma.LZMAFile,
    Kind.ZLIB: _Inflating,
}


class _Part:
    """The next ``size`` bytes of a file, as a file."""

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        self._source, self._at, self._left = source, start, size

    def read(self, size: int = -1) -> bytes:
        self._source.seek(self._at)
        piece = self._source.read(self._left if size < 0 else min(size, self._left))
        self._at += len(piece)
        self._left -= len(piece)
        return piece


def _of_zip(file: BinaryIO, budget: Budget) -> Iterator[Member]:
    """Members as loaders of models read them: they look at no checksum and at no flag."""
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            head = _zipped(file, info).read(PEEK_BYTES)
            yield Member(
                info.filename,
                head,
                info.file_size,
                lambda info=info: budget.read(_zipped(file, info)),  # type: ignore[misc]
            )


def _zipped(file: BinaryIO, info: zipfile.ZipInfo) -> Source:
    file.seek(info.header_offset)
    signature, *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if signature != b"PK\x03\x04":
        raise zipfile.BadZipFile("A member is not where the archive says.")
    start = info.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    part = _Part(file, start, info.compress_size)
    if info.compress_type == _STORED:
        return part
    if info.compress_type == _DEFLATED:
        return _Inflating(part, -zlib.MAX_WBITS)
    if info.compress_type == zipfile.ZIP_BZIP2:
        return bz2.BZ2File(BytesIO(part.read()))
    raise NotImplementedError("A member is packed in a way that nobody here reads.")


def _of_tar(file: BinaryIO, budget: Budget) -> Iterator[Member]:
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for info in archive:
            source = archive.extractfile(info) if info.isfile() else None
            if source is None:
                continue
            head = source.read(PEEK_BYTES)

            def read(info: tarfile.TarInfo = info) -> bytes:
                again = archive.extractfile(info)
                return b"" if again is None else budget.read(again)

            yield Member(info.name, head, info.size, read)
