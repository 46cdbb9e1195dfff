"""Open any large file, one blob or a chain of xorb terms, as one stream that starts anywhere."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from hub.errors import BadObject
from hub.storage.digests import CHUNK_BYTES, xorb_key
from hub.storage.ports import BlobStore
from hub.xet.hashing import to_text
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
Piece = bytes | memoryview


def iter_blob(store: BlobStore, key: str, start: int, stop: int) -> Iterator[bytes]:
    """The bytes ``[start:stop]`` of what lies under ``key``."""
    with store.open(key, start=start, length=stop - start) as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def iter_xet(
    store: BlobStore, terms: Iterable[Term], extent_of: ExtentOf, start: int, stop: int
) -> Iterator[bytes]:
    """The bytes ``[start:stop]`` of a file of terms, in pieces of about ``CHUNK_BYTES``.

    Raises:
        BadObject, BlobNotFound: the stored bytes are damaged, or gone.
    """
    return _gathered(iter_chunks(store, terms, extent_of, start, stop))


def iter_chunks(
    store: BlobStore, terms: Iterable[Term], extent_of: ExtentOf, start: int, stop: int
) -> Iterator[Piece]:
    """The same chunk by chunk and without a copy, for a caller who only looks at them."""
    at = 0
    for term in terms:
        if at >= stop:
            return
        low, high = max(start - at, 0), min(stop - at, term.unpacked_bytes)
        if low < high:
            yield from _of_term(store, term, extent_of(term.xorb), low, high)
        at += term.unpacked_bytes


def _of_term(store: BlobStore, term: Term, extent: Extent, low: int, high: int) -> Iterator[Piece]:
    """The bytes ``[low:high]`` of one term: only the chunks that hold them are read."""
    ends = list(accumulate(extent.lens[term.start : term.end], initial=0))
    first, last = bisect_right(ends, low) - 1, bisect_left(ends, high)
    begin = ends[first]
    key = xorb_key(to_text(term.xorb))
    for one, other in _windows(extent, term.start + first, term.start + last):
        for chunk in _decoded(store, key, extent, one, other):
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


def _decoded(store: BlobStore, key: str, extent: Extent, first: int, last: int) -> Iterator[Piece]:
    start, stop = extent.byte_range(first, last)
    with store.open(key, start=start, length=stop - start) as file:
        stored = file.read()
    if len(stored) != stop - start:
        raise BadObject(f"The bytes under {key} are cut off.")
    lens: Sequence[int] = extent.lens[first:last]
    for chunk, expected in zip(decode_chunks(stored), lens, strict=True):
        if len(chunk) != expected:
            raise BadObject(f"The bytes under {key} are damaged.")
        yield chunk


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
