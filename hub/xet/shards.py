"""Shards: what a client says of its files and new xorbs, read strictly (Xet spec 1.1, shards)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct

import numpy as np

from hub.errors import BadObject
from hub.xet.hashing import HASH_BYTES, Node, file_hash, range_hash, swap_words, to_text
from hub.xet.xorbs import MAX_CHUNKS, XorbIndex

MAX_SHARD_BYTES = 64 * 1024 * 1024
MAX_FILES = 65_536
MAX_TERMS = 262_144
MAX_XORBS = 65_536
"""How many different xorbs the files of a shard may use, and how many it may describe."""
MAX_TERM_CHUNKS = 4 * 1024 * 1024
"""How many chunks the terms of a shard may add up to: about 275 GB. It bounds our hashing, since
a term of 48 bytes can name 8192 chunks."""

TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
VERSION = 2
BOOKEND = b"\xff" * HASH_BYTES
ENTRY_BYTES = 48

HEADER = Struct("<32sQQ")
ENTRY = Struct("<32sIIII")

_HAS_RANGE_HASHES = 1 << 31
_HAS_SHA256 = 1 << 30
_NEEDED = _HAS_RANGE_HASHES | _HAS_SHA256
_DEDUP_HINT = 1 << 31

CHUNK = np.dtype(
    [("hash", "u1", HASH_BYTES), ("at", "<u4"), ("len", "<u4"), ("flags", "<u4"), ("zero", "<u4")]
)


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of a file: the chunks ``[start:end]`` of one xorb, and how many bytes they give."""

    xorb: bytes
    start: int
    end: int
    unpacked_bytes: int


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as its uploader describes it. The sha256 is a claim that nothing here proves."""

    hash: bytes
    terms: tuple[Term, ...]
    range_hashes: tuple[bytes, ...]
    """Per term, the proof that its uploader knows the chunks."""
    sha256: bytes


@dataclass(frozen=True, slots=True)
class XorbInfo:
    """The chunks of a xorb that is new in this upload."""

    hash: bytes
    chunk_hashes: bytes
    """32 bytes per chunk, joined."""
    lens: tuple[int, ...]
    hinted: tuple[int, ...]
    """Positions of the chunks that the client would like to find again by asking."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard whose form is right; whether it is true is for ``verify_…`` to say."""

    files: tuple[FileInfo, ...]
    xorbs: tuple[XorbInfo, ...]


def parse_shard(body: bytes) -> Shard:
    """Read the files and xorbs of a shard; look-up tables and footer are not looked at.

    Raises:
        BadObject: it is no shard, goes over a limit, or lacks a range hash or sha256.
    """
    if len(body) > MAX_SHARD_BYTES:
        raise BadObject(f"A shard is at most {MAX_SHARD_BYTES} bytes long.")
    entries = _Entries(body)
    files = tuple(_files(entries))
    if len({term.xorb for file in files for term in file.terms}) > MAX_XORBS:
        raise BadObject(f"The files of a shard use at most {MAX_XORBS} xorbs.")
    xorbs = tuple(_xorbs(entries))
    return Shard(files, xorbs)


def verify_file(file: FileInfo, index_of: Callable[[bytes], XorbIndex]) -> int:
    """Check a file's terms and its hash against the xorbs themselves; answer its size.

    Raises:
        BadObject: a term is not in its xorb, or its length or a hash is wrong.
    """
    if file_hash(_proven_chunks(file, index_of)) != file.hash:
        raise BadObject(f"The terms of file {to_text(file.hash)} make another file.")
    return sum(term.unpacked_bytes for term in file.terms)


def verify_xorb_info(info: XorbInfo, index: XorbIndex) -> None:
    """Refuse a description that differs from the stored xorb in any chunk."""
    described = (info.hash, info.chunk_hashes, info.lens)
    if described != (index.hash, index.chunk_hashes, index.lens):
        raise BadObject(f"The shard describes xorb {to_text(info.hash)} wrongly.")


def _proven_chunks(file: FileInfo, index_of: Callable[[bytes], XorbIndex]) -> Iterator[Node]:
    for term, proof in zip(file.terms, file.range_hashes, strict=True):
        index = index_of(term.xorb)
        if not 0 <= term.start < term.end <= index.n_chunks:
            raise BadObject(f"Xorb {to_text(term.xorb)} has no such chunks as a term names.")
        if index.raw_len(term.start, term.end) != term.unpacked_bytes:
            raise BadObject(f"A term over xorb {to_text(term.xorb)} has a wrong length.")
        if range_hash(index.hashes(term.start, term.end)) != proof:
            raise BadObject(f"A term over xorb {to_text(term.xorb)} has a wrong verification hash.")
        yield from index.nodes(term.start, term.end)


def _files(entries: "_Entries") -> Iterator[FileInfo]:
    n_files = n_terms = n_chunks = 0
    while info := entries.info():
        digest, flags, count = info
        n_files, n_terms = n_files + 1, n_terms + count
        if n_files > MAX_FILES or n_terms > MAX_TERMS:
            raise BadObject(f"A shard has at most {MAX_FILES} files and {MAX_TERMS} terms.")
        _check_flags(digest, flags)
        terms = tuple([_term(row) for row in ENTRY.iter_unpack(entries.take(count))])
        n_chunks += sum(term.end - term.start for term in terms)
        if n_chunks > MAX_TERM_CHUNKS:
            raise BadObject(f"The files of a shard have at most {MAX_TERM_CHUNKS} chunks.")
        proofs = tuple([row[0] for row in ENTRY.iter_unpack(entries.take(count))])
        sha256 = swap_words(bytes(entries.take(1)[:HASH_BYTES]))
        yield FileInfo(digest, terms, proofs, sha256)


def _check_flags(file: bytes, flags: int) -> None:
    if flags & _NEEDED != _NEEDED:
        raise BadObject(f"File {to_text(file)} lacks verification hashes or a sha256.")
    if flags != _NEEDED:
        raise BadObject(f"File {to_text(file)} has flags that are unknown to us.")


def _term(row: tuple[bytes, int, int, int, int]) -> Term:
    xorb, _flags, unpacked_bytes, start, end = row
    if not 0 <= start < end <= MAX_CHUNKS:
        raise BadObject(f"A term cannot have the chunks {start} to {end}.")
    return Term(xorb, start, end, unpacked_bytes)


def _xorbs(entries: "_Entries") -> Iterator[XorbInfo]:
    n_xorbs = 0
    while info := entries.info():
        digest, _flags, count = info
        n_xorbs += 1
        if n_xorbs > MAX_XORBS:
            raise BadObject(f"A shard describes at most {MAX_XORBS} xorbs.")
        if not 0 < count <= MAX_CHUNKS:
            raise BadObject(f"A xorb cannot have {count} chunks.")
        rows = np.frombuffer(entries.take(count), CHUNK)
        hinted = np.flatnonzero(rows["flags"] & _DEDUP_HINT)
        yield XorbInfo(
            digest, rows["hash"].tobytes(), tuple(rows["len"].tolist()), tuple(hinted.tolist())
        )


class _Entries:
    """The entries of a shard, one after the other: what a header says of their place may lie."""

    def __init__(self, body: bytes) -> None:
        self._rest = memoryview(body)
        tag, version, _footer_bytes = HEADER.unpack(self.take(1))
        if tag != TAG:
            raise BadObject("These bytes are no shard.")
        if version != VERSION:
            raise BadObject(f"A shard of version {version} is unknown to us.")

    def take(self, count: int) -> memoryview:
        """The next ``count`` entries; BadObject if there are fewer."""
        size = count * ENTRY_BYTES
        if len(self._rest) < size:
            raise BadObject("The shard ends too soon.")
        entries, self._rest = self._rest[:size], self._rest[size:]
        return entries

    def info(self) -> tuple[bytes, int, int] | None:
        """Hash, flags and count of what comes next; None at the end of a section."""
        digest, flags, count, _third, _fourth = ENTRY.unpack(self.take(1))
        return None if digest == BOOKEND else (digest, flags, count)
