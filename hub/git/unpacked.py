"""Pack: the objects of a pack, on temporary files, as the rows that they are going to be."""

import hashlib
import mmap
import tempfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Protocol, Self

from hub.errors import BadObject
from hub.git.deltas import apply_delta
from hub.git.objects import Kind, Pointer, parse_pointer
from hub.git.stored import Keyframe, StoredObject, store, store_tree

CHECKSUM_BYTES = 20
HEADER_BYTES = 12
_PIECE_BYTES = 1024 * 1024
_SLACK_BYTES = 1024
"""By how much deflated data may be larger than what it holds before we deflate it ourselves."""
_CACHED_BYTES = 32 * 1024 * 1024


class Source(Protocol):
    """Where a pack comes from: no more than ``size`` bytes, none at the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Base:
    """An object outside the pack that a delta in it begins from."""

    kind: Kind
    raw: bytes
    keyframe: Keyframe | None = None
    """For a tree: what its own row is a delta of, or itself."""


FindBases = Callable[[Sequence[bytes]], Mapping[bytes, Base]]


@dataclass(slots=True)
class _Place:
    """Where the row of an object lies."""

    kind: Kind
    size: int
    start: int
    length: int
    is_spooled: bool
    depth: int = 0
    base: bytes | None = None


class _Cache:
    """The contents used last."""

    def __init__(self) -> None:
        self._raws: OrderedDict[bytes, bytes] = OrderedDict()
        self._nbytes = 0

    def get(self, oid: bytes) -> bytes | None:
        raw = self._raws.get(oid)
        if raw is not None:
            self._raws.move_to_end(oid)
        return raw

    def put(self, oid: bytes, raw: bytes) -> None:
        if oid in self._raws:
            return
        self._raws[oid] = raw
        self._nbytes += len(raw)
        while self._nbytes > _CACHED_BYTES:
            self._nbytes -= len(self._raws.popitem(last=False)[1])


def _temporary() -> IO[bytes]:
    return tempfile.TemporaryFile()


class Pack:
    """The objects of a pack by id. Whoever has one closes it: its files go with it."""

    def __init__(self, find_bases: FindBases) -> None:
        self.view = memoryview(b"")
        """The pack as it came, without its checksum."""
        self.oversized: list[tuple[int, bytes | None]] = []
        """Sizes of blobs that are too large for git, and their ids where they are known."""
        self.pointers: dict[bytes, Pointer] = {}
        """Blobs that stand for large files."""
        self._find_bases = find_bases
        self._places: dict[bytes, _Place] = {}
        self._cache = _Cache()
        self._closing = ExitStack()
        self._file: IO[bytes] = self._closing.enter_context(_temporary())
        self._spool: IO[bytes] = self._closing.enter_context(_temporary())
        self._spooled = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def close(self) -> None:
        self.view = memoryview(b"")
        self._closing.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, oid: object) -> bool:
        return oid in self._places

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._places)

    def take(self, source: Source, *, most: int) -> None:
        """Bring the pack to the disk and compare its checksum.

        Raises:
            BadObject: it is too large, cut off or damaged.
        """
        digest = hashlib.sha1(usedforsecurity=False)
        tail = b""
        nbytes = 0
        while piece := source.read(_PIECE_BYTES):
            nbytes += len(piece)
            if nbytes > most:
                raise BadObject(f"The pack has more than {most:,} bytes.")
            self._file.write(piece)
            tail += piece
            digest.update(tail[:-CHECKSUM_BYTES])
            tail = tail[-CHECKSUM_BYTES:]
        if nbytes < HEADER_BYTES + CHECKSUM_BYTES or digest.digest() != tail:
            raise BadObject("The pack is cut off or damaged: its checksum is wrong.")
        self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), nbytes, access=mmap.ACCESS_READ)
        self.view = memoryview(mapped)[:-CHECKSUM_BYTES]

    def kind(self, oid: bytes) -> Kind | None:
        place = self._places.get(oid)
        return place.kind if place else None

    def depth(self, oid: bytes) -> int:
        """How many deltas of the pack it took to make the object."""
        return self._places[oid].depth

    def keyframes(self) -> set[bytes]:
        """The trees that rows of this pack are deltas of; some may be outside the pack."""
        return {place.base for place in self._places.values() if place.base is not None}

    def rows(self, *, deltas: bool) -> Iterator[StoredObject]:
        """The rows that are stored in full, or those that are deltas."""
        for oid, place in self._places.items():
            if (place.base is not None) == deltas:
                pointer = self.pointers.get(oid)
                yield StoredObject(
                    oid, place.kind, place.size, self._data(place), place.base, pointer
                )

    def raw(self, oid: bytes) -> bytes:
        """Answer the content of an object of the pack."""
        found = self._cache.get(oid)
        if found is None:
            place = self._places[oid]
            found = zlib.decompress(self._data(place))
            if place.base is not None:
                found = apply_delta(self._raw_keyframe(place.base), found)
            self._cache.put(oid, found)
        return found

    def as_base(self, oid: bytes) -> Base:
        """Answer an object of the pack as what a delta begins from."""
        place, raw = self._places[oid], self.raw(oid)
        if place.kind is not Kind.TREE:
            return Base(place.kind, raw)
        if place.base is None:
            return Base(place.kind, raw, Keyframe(oid, raw))
        return Base(place.kind, raw, Keyframe(place.base, self._raw_keyframe(place.base)))

    def _raw_keyframe(self, oid: bytes) -> bytes:
        """A keyframe is stored in full: in this pack, or where the pack's bases are."""
        if oid in self._places:
            return self.raw(oid)
        found = self._cache.get(oid)
        if found is None:
            base = self._find_bases([oid]).get(oid)
            if base is None:
                raise BadObject(f"The base {oid.hex()} of a tree is gone. Push again.")
            found = base.raw
            self._cache.put(oid, found)
        return found

    def add_whole(self, kind: Kind, oid: bytes, raw: bytes, span: tuple[int, int]) -> bool:
        """Take an object that lies deflated at ``span`` of the pack; no if it is there already."""
        if oid in self._places:
            return False
        start, end = span
        if end - start > len(raw) + len(raw) // 1000 + _SLACK_BYTES:
            self._spool_row(store(kind, raw), depth=0)
        else:
            self._places[oid] = _Place(kind, len(raw), start, end - start, is_spooled=False)
            self._note_pointer(kind, oid, raw)
        return True

    def add_made(
        self, kind: Kind, oid: bytes, raw: bytes, keyframe: Keyframe | None, depth: int
    ) -> bool:
        """Take an object that a delta made; no if it is there already."""
        if oid in self._places:
            return False
        row = store_tree(raw, keyframe) if kind is Kind.TREE else store(kind, raw)
        self._spool_row(row, depth)
        self._note_pointer(kind, oid, raw)
        self._cache.put(oid, raw)
        return True

    def _note_pointer(self, kind: Kind, oid: bytes, raw: bytes) -> None:
        if kind is Kind.BLOB and (pointer := parse_pointer(raw)):
            self.pointers[oid] = pointer

    def _spool_row(self, row: StoredObject, depth: int) -> None:
        self._spool.seek(self._spooled)
        self._spool.write(row.data)
        place = _Place(row.kind, row.size, self._spooled, len(row.data), is_spooled=True)
        place.depth, place.base = depth, row.base
        self._places[row.oid] = place
        self._spooled += len(row.data)

    def _data(self, place: _Place) -> bytes:
        if not place.is_spooled:
            return bytes(self.view[place.start : place.start + place.length])
        self._spool.seek(place.start)
        return self._spool.read(place.length)
