"""Xorbs: up to 64 MiB of chunks in a row, verified as they stream in (Xet spec 1.1, xorbs)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from struct import pack, unpack
from typing import Protocol, Self

from hub.errors import BadObject
from hub.xet.chunks import HEADER_BYTES, decode, parse_header
from hub.xet.hashing import HASH_BYTES, NO_CHUNKS, Node, chunk_hash, to_text, xorb_hash

MAX_CHUNKS = 8192
MAX_RAW_BYTES = 64 * 1024 * 1024
MAX_STORED_BYTES = MAX_RAW_BYTES + MAX_CHUNKS * HEADER_BYTES

FOOTER_IDENT = b"XETBLOB"
MAX_FOOTER_BYTES = 512 * 1024

_BLOCK_BYTES = 256 * 1024
"""How much is read at a time: many xorbs come at once, and each holds a few blocks in memory."""
_U32_BYTES = 4
_INDEX_ENTRY = f"{HASH_BYTES}sII"
INDEX_ENTRY_BYTES = HASH_BYTES + 2 * _U32_BYTES


class Readable(Protocol):
    """A file, or the body of a request: all that we ask of it is to read on."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the chunks of a xorb lie in its stored bytes, and how long they are when decoded."""

    ends: tuple[int, ...]
    """Where each chunk ends in the stored bytes; it begins where the one before ends."""
    lens: tuple[int, ...]
    """The raw length of each chunk."""

    @staticmethod
    def from_columns(ends: bytes | memoryview, lens: bytes | memoryview) -> "Extent":
        """Read the two columns of little-endian u32 that :meth:`columns` makes."""
        layout = f"<{len(ends) // _U32_BYTES}I"
        return Extent(ends=unpack(layout, ends), lens=unpack(layout, lens))

    def columns(self) -> tuple[bytes, bytes]:
        """Ends and lens, each as little-endian u32 in a row."""
        layout = f"<{self.n_chunks}I"
        return pack(layout, *self.ends), pack(layout, *self.lens)

    @property
    def n_chunks(self) -> int:
        return len(self.ends)

    @property
    def raw_bytes(self) -> int:
        return sum(self.lens)

    @property
    def stored_bytes(self) -> int:
        return self.ends[-1]

    def byte_range(self, start: int, end: int) -> tuple[int, int]:
        """The stored bytes of the chunks ``[start:end]``, as the ends of a slice."""
        return (self.ends[start - 1] if start else 0), self.ends[end - 1]

    def raw_len(self, start: int, end: int) -> int:
        """How many bytes the chunks ``[start:end]`` decode to."""
        return sum(self.lens[start:end])


@dataclass(frozen=True, slots=True, kw_only=True)
class XorbIndex(Extent):
    """All there is to know of a xorb but its bytes: what lies beside them as ``.idx``.

    Chunk hashes are secrets: whoever knows them can claim to hold the data. They go to nobody.
    """

    hash: bytes
    chunk_hashes: bytes
    """32 bytes per chunk, joined."""

    @classmethod
    def from_bytes(cls, xorb: bytes, raw: bytes) -> Self:
        """Read what :meth:`to_bytes` wrote; BadObject if it was cut, or is empty."""
        count, rest = divmod(len(raw), INDEX_ENTRY_BYTES)
        if rest or not count:
            raise BadObject(f"The index of xorb {to_text(xorb)} is damaged.")
        fields = unpack("<" + _INDEX_ENTRY * count, raw)
        return cls(
            hash=xorb, chunk_hashes=b"".join(fields[::3]), ends=fields[1::3], lens=fields[2::3]
        )

    def to_bytes(self) -> bytes:
        """Per chunk: its hash, where it ends in the stored bytes (u32), its raw length (u32)."""
        rows = zip(self.nodes(0, self.n_chunks), self.ends, strict=True)
        return b"".join([pack("<" + _INDEX_ENTRY, node[0], end, node[1]) for node, end in rows])

    def hashes(self, start: int, end: int) -> bytes:
        """The hashes of the chunks ``[start:end]``, joined."""
        return self.chunk_hashes[start * HASH_BYTES : end * HASH_BYTES]

    def nodes(self, start: int, end: int) -> Iterator[Node]:
        """Hash and raw length of each of the chunks ``[start:end]``."""
        joined = self.hashes(start, end)
        digests = [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]
        return zip(digests, self.lens[start:end], strict=True)


def verify_xorb(
    source: Readable, sink: Callable[[bytes | memoryview], object], *, expected: bytes
) -> XorbIndex:
    """Decode and hash every chunk of a xorb as it arrives, and answer its index.

    The sink gets headers and chunks as they are stored, without the footer that old clients send.
    It has had them before the xorb turns out to be bad, so they must not count until this returns.

    Raises:
        BadObject: the bytes are no xorb, or not the expected one.
    """
    blocks = _Blocks(source)
    hashes: list[bytes] = []
    lens: list[int] = []
    ends: list[int] = []
    raw_bytes = stored_bytes = 0
    while head := blocks.take(HEADER_BYTES):
        if head[: len(FOOTER_IDENT)] == FOOTER_IDENT:
            blocks.skip_rest(MAX_FOOTER_BYTES - len(head))
            break
        header = parse_header(head)
        raw_bytes += header.raw_len
        stored_bytes += HEADER_BYTES + header.stored_len
        _check_limits(len(lens) + 1, raw_bytes, stored_bytes)
        chunk = blocks.take(header.stored_len)
        if len(chunk) < header.stored_len:
            raise BadObject("The xorb ends within a chunk.")
        hashes.append(chunk_hash(decode(header, chunk)))
        lens.append(header.raw_len)
        ends.append(stored_bytes)
        sink(head)
        sink(chunk)
    _check_hash(zip(hashes, lens, strict=True), expected)
    return XorbIndex(
        hash=expected, chunk_hashes=b"".join(hashes), ends=tuple(ends), lens=tuple(lens)
    )


def decode_chunks(stored: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """The raw bytes of each of the stored chunks in a row; their hashes are not looked at.

    Raises:
        BadObject: the stored bytes are damaged.
    """
    view = memoryview(stored)
    at = 0
    while at < len(view):
        header = parse_header(view[at : at + HEADER_BYTES])
        start, at = at + HEADER_BYTES, at + HEADER_BYTES + header.stored_len
        if at > len(view):
            raise BadObject("The stored bytes end within a chunk.")
        yield decode(header, view[start:at])


def _check_limits(n_chunks: int, raw_bytes: int, stored_bytes: int) -> None:
    if n_chunks > MAX_CHUNKS:
        raise BadObject(f"A xorb holds at most {MAX_CHUNKS} chunks.")
    if raw_bytes > MAX_RAW_BYTES or stored_bytes > MAX_STORED_BYTES:
        raise BadObject(f"A xorb holds at most {MAX_RAW_BYTES} bytes of data.")


def _check_hash(chunks: Iterable[Node], expected: bytes) -> None:
    actual = xorb_hash(chunks)
    if actual == NO_CHUNKS:
        raise BadObject("The xorb holds no chunk.")
    if actual != expected:
        raise BadObject(f"The xorb is {to_text(actual)}, not {to_text(expected)}.")


class _Blocks:
    """A stream read in large blocks, cut into small pieces: what lies within one is not copied."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._rest = memoryview(b"")

    def take(self, size: int) -> memoryview:
        """The next bytes: ``size`` of them unless the stream ends before."""
        piece, self._rest = self._rest[:size], self._rest[size:]
        if len(piece) == size:
            return piece
        parts, missing = [piece], size - len(piece)
        while missing and (block := memoryview(self._source.read(_BLOCK_BYTES))):
            parts.append(block[:missing])
            self._rest = block[missing:]
            missing -= len(parts[-1])
        return memoryview(b"".join(parts))

    def skip_rest(self, limit: int) -> None:
        """Read to the end; BadObject if that is more than ``limit`` away."""
        seen = len(self._rest)
        while seen <= limit and (block := self._source.read(_BLOCK_BYTES)):
            seen += len(block)
        if seen > limit:
            raise BadObject("The xorb goes on after its last chunk.")
