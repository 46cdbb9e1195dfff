"""Read a pack that a stranger sent, in bounded memory (gitformat-pack, «pack-*.pack files»).

The pack goes to a temporary file first. Whole objects are then checked where they lie; deltas are
carried out, base before delta, and what they make goes to a second file. Sizes are compared with
limits before anything is inflated, so a small pack cannot make much out of little.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hub.errors import BadObject
from hub.git.deltas import MOST_STEPS, delta_parts, made_size
from hub.git.inflating import Inflating, inflated, read_distance, read_header
from hub.git.objects import OID_BYTES, Kind, hash_object
from hub.git.unpacked import HEADER_BYTES, Base, FindBases, Pack, Source

_MIB = 1024 * 1024
_LEAST_ENTRY_BYTES = 9
"""A byte of type and size, and the shortest zlib stream."""
_OFS_DELTA, _REF_DELTA = 6, 7
_BASES_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a pack may be."""

    pack_bytes: int = 2048 * _MIB
    objects: int = 1_000_000
    blob_bytes: int = 10 * _MIB
    """Larger blobs are noted in :attr:`Pack.oversized` and not kept."""
    tree_bytes: int = 32 * _MIB
    commit_bytes: int = _MIB
    """Of a commit or a tag."""
    inflated_bytes: int = 8 * 1024 * _MIB
    """Of all objects and deltas together, and of all that deltas make."""
    delta_steps: int = 50_000_000
    """Of all deltas together. Deflated a million steps are a kilobyte, so bytes bound no time."""
    depth: int = 4095
    """Of a chain of deltas; git itself makes none that are longer."""

    def of(self, kind: Kind) -> int:
        if kind is Kind.BLOB:
            return self.blob_bytes
        return self.tree_bytes if kind is Kind.TREE else self.commit_bytes


Visit = Callable[[Kind, bytes, bytes], None]
"""Called once for each object of the pack with kind, id and content; raises to refuse it."""


def read_pack(
    source: Source, *, find_bases: FindBases, visit: Visit, limits: Limits | None = None
) -> Pack:
    """Read a whole pack; its deltas may begin from objects that ``find_bases`` answers.

    Raises:
        BadObject: it is no pack, is damaged, or goes beyond a limit; or ``visit`` says so.
    """
    limits = limits or Limits()
    pack = Pack(find_bases)
    try:
        pack.take(source, most=limits.pack_bytes)
        _Reading(pack, limits, find_bases, visit).run()
    except BaseException:
        pack.close()
        raise
    return pack


@dataclass(frozen=True, slots=True)
class _Delta:
    """A delta that waits for its base: where its entry begins, and where its data lies."""

    offset: int
    start: int
    end: int


class _Reading:
    """One pass over a pack, and the carrying out of its deltas."""

    def __init__(self, pack: Pack, limits: Limits, find_bases: FindBases, visit: Visit) -> None:
        self._pack = pack
        self._limits = limits
        self._find_bases = find_bases
        self._visit = visit
        self._inflated = 0
        self._steps_left = limits.delta_steps
        self._offsets: dict[int, bytes | None] = {}
        """Where entries begin, and which objects they are; None for what is not known yet."""
        self._by_offset: dict[int, list[_Delta]] = {}
        self._by_oid: dict[bytes, list[_Delta]] = {}

    def run(self) -> None:
        at = HEADER_BYTES
        for _ in range(self._count()):
            at = self._read_entry(at)
        if at != len(self._pack.view):
            raise BadObject("The pack goes on after its last object.")
        self._resolve_inside()
        self._resolve_outside()
        if (self._by_oid or self._by_offset) and not self._pack.oversized:
            # What begins from an oversized blob stays open: the push is refused for that blob.
            bases = ", ".join(oid.hex() for oid in list(self._by_oid)[:3])
            raise BadObject(f"Deltas begin from objects that are nowhere: {bases}.")

    def _count(self) -> int:
        header = bytes(self._pack.view[:HEADER_BYTES])
        version, count = int.from_bytes(header[4:8], "big"), int.from_bytes(header[8:], "big")
        if header[:4] != b"PACK" or version not in {2, 3}:
            raise BadObject("That is not a pack.")
        if count > self._limits.objects:
            raise BadObject(
                f"The pack has {count:,} objects; at most {self._limits.objects:,} fit."
            )
        if count * _LEAST_ENTRY_BYTES > len(self._pack.view) - HEADER_BYTES:
            raise BadObject("The pack has fewer objects than it says.")
        return count

    def _read_entry(self, offset: int) -> int:
        """Read the entry at ``offset`` and answer where the next one begins."""
        number, size, at = read_header(self._pack.view, offset)
        if number in {_OFS_DELTA, _REF_DELTA}:
            return self._note_delta(number, offset, size, at)
        if not Kind.COMMIT <= number <= Kind.TAG:
            raise BadObject(f"There are no objects of type {number}.")
        kind = Kind(number)
        if kind is Kind.BLOB and size > self._limits.blob_bytes:
            return self._pass_oversized(offset, size, at)
        raw, end = self._inflate(at, size, self._limits.of(kind))
        self._offsets[offset] = oid = hash_object(kind, raw)
        if self._pack.add_whole(kind, oid, raw, (at, end)):
            self._visit(kind, oid, raw)
        return end

    def _note_delta(self, number: int, offset: int, size: int, at: int) -> int:
        view = self._pack.view
        self._offsets[offset] = None
        if number == _OFS_DELTA:
            distance, at = read_distance(view, at)
            if not distance or offset - distance not in self._offsets:
                raise BadObject("A delta begins from where no object is.")
            waiting = self._by_offset.setdefault(offset - distance, [])
        else:
            waiting = self._by_oid.setdefault(bytes(view[at : at + OID_BYTES]), [])
            at += OID_BYTES
        # Inflated now to find its end, and again once its base is known: deltas are small.
        _raw, end = self._inflate(at, size, self._limits.tree_bytes)
        waiting.append(_Delta(offset, at, end))
        return end

    def _pass_oversized(self, offset: int, size: int, at: int) -> int:
        """Find out which blob it is that is too large, so that its path can be told."""
        self._spend(size)
        self._offsets[offset] = None
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        inflating = Inflating(self._pack.view, at, size)
        for piece in inflating.pieces():
            digest.update(piece)
        self._pack.oversized.append((size, digest.digest()))
        return inflating.at

    def _inflate(self, at: int, size: int, most: int) -> tuple[bytes, int]:
        if size > most:
            raise BadObject(f"An object has {size:,} bytes; at most {most:,} fit.")
        self._spend(size)
        return inflated(self._pack.view, at, size)

    def _spend(self, size: int) -> None:
        self._inflated += size
        if self._inflated > self._limits.inflated_bytes:
            raise BadObject("The pack holds more than we unpack.")

    def _resolve_inside(self) -> None:
        self._descend([(offset, oid) for offset, oid in self._offsets.items() if oid])

    def _resolve_outside(self) -> None:
        """Carry out deltas whose base is not in the pack, and all that follows from them."""
        outside = list(self._by_oid)
        for start in range(0, len(outside), _BASES_AT_A_TIME):
            batch = [
                oid for oid in outside[start : start + _BASES_AT_A_TIME] if oid in self._by_oid
            ]
            for oid, base in self._find_bases(batch).items():
                if oid in self._by_oid:
                    self._descend(list(self._carry_out(self._by_oid.pop(oid), base, depth=0)))

    def _descend(self, ready: list[tuple[int, bytes]]) -> None:
        """Carry out what begins from the objects in ``ready``, and from what that makes."""
        while ready:
            offset, oid = ready.pop()
            waiting = self._by_offset.pop(offset, []) + self._by_oid.pop(oid, [])
            if waiting:
                base = self._pack.as_base(oid)
                ready += self._carry_out(waiting, base, self._pack.depth(oid))

    def _carry_out(
        self, waiting: Iterable[_Delta], base: Base, depth: int
    ) -> Iterator[tuple[int, bytes]]:
        if depth >= self._limits.depth:
            raise BadObject(f"A chain of deltas is longer than {self._limits.depth:,}.")
        for one in waiting:
            delta = zlib.decompress(self._pack.view[one.start : one.end])
            size = made_size(delta)
            if base.kind is Kind.BLOB and size > self._limits.blob_bytes:
                self._pack.oversized.append((size, None))
                continue
            if size > self._limits.of(base.kind):
                raise BadObject(f"An object has {size:,} bytes, which is too many.")
            self._spend(size)
            parts = delta_parts(base.raw, delta, most=min(self._steps_left, MOST_STEPS))
            self._steps_left -= len(parts)
            raw = b"".join(parts)
            oid = hash_object(base.kind, raw)
            if self._pack.add_made(base.kind, oid, raw, base.keyframe, depth + 1):
                self._visit(base.kind, oid, raw)
            yield one.offset, oid
