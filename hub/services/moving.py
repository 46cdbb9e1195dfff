"""Move all bytes from one store to another, each compared with the hash that its key names."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import islice

from hub.errors import BadObject, BlobNotFound
from hub.storage.digests import chunks_of
from hub.storage.ports import BlobStore
from hub.xet.hashing import from_text
from hub.xet.xorbs import verify_xorb

Sink = Callable[[bytes | memoryview], object]

_BATCH = 256
_XORBS, _INDEX = "xet/xorbs/", ".idx"


class Fate(StrEnum):
    """What became of one key."""

    MOVED = "moved"
    THERE = "there"
    GONE = "gone"
    """Dropped from the first store since it was listed."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One key, and what became of it."""

    key: str
    fate: Fate
    size: int = 0
    why: str = ""


def move(source: BlobStore, target: BlobStore, *, jobs: int) -> Iterator[Outcome]:
    """Copy what ``target`` lacks, ``jobs`` keys at a time; nothing is dropped anywhere.

    Cut off, it may be begun again: what was published whole is not copied twice. Bytes that are
    not what their key says are told of and left behind.
    """
    return _in_threads(partial(_moved, source, target), source.keys(), jobs)


def compare(source: BlobStore, target: BlobStore, *, jobs: int) -> Iterator[Outcome]:
    """Look whether everything in ``source`` lies in ``target`` with the same size."""
    return _in_threads(partial(_compared, source, target), source.keys(), jobs)


def _in_threads(
    work: Callable[[str], Outcome], keys: Iterator[str], jobs: int
) -> Iterator[Outcome]:
    with ThreadPoolExecutor(jobs, thread_name_prefix="move") as threads:
        while batch := list(islice(keys, _BATCH)):
            yield from threads.map(work, batch)


def _moved(source: BlobStore, target: BlobStore, key: str) -> Outcome:
    size = source.size(key)
    if size is None:
        return Outcome(key, Fate.GONE)
    there = target.size(key)
    if there is not None:
        return Outcome(key, Fate.THERE) if there == size else _differs(key, size, there)
    try:
        with target.open_stage(hashed=False) as writer:
            _carry(source, key, writer.write)
            staged = writer.finish()
        target.publish(staged, key)
    except BlobNotFound:
        return Outcome(key, Fate.GONE)
    except BadObject as fault:
        return Outcome(key, Fate.BAD, size, fault.message)
    return Outcome(key, Fate.MOVED, size)


def _compared(source: BlobStore, target: BlobStore, key: str) -> Outcome:
    size, there = source.size(key), target.size(key)
    if size is None:
        return Outcome(key, Fate.GONE)
    if there is None:
        return Outcome(key, Fate.BAD, size, "It did not come.")
    return Outcome(key, Fate.THERE, size) if size == there else _differs(key, size, there)


def _differs(key: str, size: int, there: int) -> Outcome:
    return Outcome(key, Fate.BAD, size, f"It has {size:,} bytes here and {there:,} there.")


def _carry(source: BlobStore, key: str, sink: Sink) -> None:
    """Give all bytes under a key to ``sink``; BadObject at their end if they are not its."""
    if not key.startswith(_XORBS):
        _carry_hashed(source, key, sink)
    elif key.endswith(_INDEX):
        _carry_index(source, key, sink)
    else:
        with source.open(key) as file:
            verify_xorb(file, sink, expected=_xorb_of(key))


def _carry_hashed(source: BlobStore, key: str, sink: Sink) -> None:
    digest = hashlib.sha256()
    with source.open(key) as file:
        for chunk in chunks_of(file):
            digest.update(chunk)
            sink(chunk)
    if digest.hexdigest() != _name(key).removesuffix(".mdb"):
        raise BadObject("These bytes have another SHA-256.")


def _carry_index(source: BlobStore, key: str, sink: Sink) -> None:
    """An index is what its xorb makes of it, so the xorb is read once more."""
    with source.open(key) as file:
        index = file.read()
    with source.open(key.removesuffix(_INDEX)) as file:
        true = verify_xorb(file, _drop, expected=_xorb_of(key.removesuffix(_INDEX)))
    if index != true.to_bytes():
        raise BadObject("This is not the index of its xorb.")
    sink(index)


def _xorb_of(key: str) -> bytes:
    return from_text(_name(key))


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _drop(_piece: bytes | memoryview) -> None:
    pass
