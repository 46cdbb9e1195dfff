"""Open any large file, one blob or a chain of xorb terms, as one stream that starts anywhere."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from hub.errors import BadObject, DamagedXorb
from hub.storage.digests import CHUNK_BYTES, xorb_key
from hub.storage.ports import BlobStore
from hub.xet.hashing import HASH_BYTES, chunk_hash, to_text
from hub.xet.shards import Term
from hub.xet.xorbs import Extent, decode_chunks

WINDOW_BYTES = 2 * 1024 * 1024
"""How much of a xorb is read and decoded at a time: the memory that one reader takes."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file, as an answer needs them."""

    name: str
    etag: str
    size: int
    read: Callable[[int, int], Iterator[bytes]]
    """Answers the bytes ``[start:stop]`` in pieces."""
    key: str = ""
    """Where the store holds exactly these bytes, if it does."""


ExtentOf = Callable[[bytes], Extent]
HashesOf = Callable[[bytes], bytes | None]
"""Answers the chunk hashes of a xorb, joined; None where they cannot be had."""
Piece = bytes | memoryview


def iter_blob(store: BlobStore, key: str, start: int, stop: int) -> Iterator[bytes]:
    """The bytes ``[start:stop]`` of what lies under ``key``."""
    with store.open(key, start=start, length=stop - start) as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def iter_xet(
    store: BlobStore,
    terms: Iterable[Term],
    extent_of: ExtentOf,
    start: int,
    stop: int,
    hashes_of: HashesOf | None = None,
) -> Iterator[bytes]:
    """The bytes ``[start:stop]`` of a file of terms, in pieces of about ``CHUNK_BYTES``.

    With ``hashes_of`` each chunk is compared with its hash before any of it is given.

    Raises:
        DamagedXorb, BlobNotFound: the stored bytes are damaged, or gone.
    """
    return _gathered(iter_chunks(store, terms, extent_of, start, stop, hashes_of))


def iter_chunks(
    store: BlobStore,
    terms: Iterable[Term],
    extent_of: ExtentOf,
    start: int,
    stop: int,
    hashes_of: HashesOf | None = None,
) -> Iterator[Piece]:
    """The same chunk by chunk and without a copy, for a caller who only looks at them."""
    at = 0
    for term in terms:
        if at >= stop:
            return
        low, high = max(start - at, 0), min(stop - at, term.unpacked_bytes)
        if low < high:
            hashes = hashes_of(term.xorb) if hashes_of else None
            stored = _Stored(store, term.xorb, extent_of(term.xorb), hashes)
            yield from _of_term(stored, term, low, high)
        at += term.unpacked_bytes


@dataclass(frozen=True, slots=True)
class _Stored:
    """A xorb in the store, and what is known of its chunks."""

    store: BlobStore
    xorb: bytes
    extent: Extent
    hashes: bytes | None

    def decoded(self, first: int, last: int) -> Iterator[Piece]:
        """The chunks ``[first:last]``; DamagedXorb as soon as one is not what it should be."""
        start, stop = self.extent.byte_range(first, last)
        with self.store.open(
            xorb_key(to_text(self.xorb)), start=start, length=stop - start
        ) as file:
            stored = file.read(stop - start)
        if len(stored) != stop - start:
            raise DamagedXorb(self.xorb)
        at = first
        try:
            for chunk in decode_chunks(stored):
                if at >= last or not self._is_good(chunk, at):
                    raise DamagedXorb(self.xorb)
                yield chunk
                at += 1
        except BadObject as fault:
            raise DamagedXorb(self.xorb) from fault
        if at != last:
            raise DamagedXorb(self.xorb)

    def _is_good(self, chunk: Piece, at: int) -> bool:
        if len(chunk) != self.extent.lens[at]:
            return False
        place = slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
        return self.hashes is None or chunk_hash(chunk) == self.hashes[place]


def _of_term(stored: _Stored, term: Term, low: int, high: int) -> Iterator[Piece]:
    """The bytes ``[low:high]`` of one term: only the chunks that hold them are read."""
    extent = stored.extent
    ends = list(accumulate(extent.lens[term.start : term.end], initial=0))
    first, last = bisect_right(ends, low) - 1, bisect_left(ends, high)
    begin = ends[first]
    for one, other in _windows(extent, term.start + first, term.start + last):
        for chunk in stored.decoded(one, other):
            end = begin + len(chunk)
            yield chunk[max(low - begin, 0) : high - begin] if begin < low or end > high else chunk
            begin = end


def _windows(extent: Extent, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut the chunks ``[first:last]`` into runs of at most ``WINDOW_BYTES`` stored bytes."""
    while first < last:
        begin, _ = extent.byte_range(first, first + 1)
        end = max(bisect_right(extent.ends, begin + WINDOW_BYTES, first, last), first + 1)
        yield first, end
        first = end


def _gathered(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: each costs a call and a packet on its way out."""
    waiting: list[Piece] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
