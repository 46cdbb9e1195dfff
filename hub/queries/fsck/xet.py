"""Xorbs and the files made of them: are the bytes there, and do the terms come to the file."""

import hashlib
from collections.abc import Iterator
from itertools import chain
from struct import Struct
from typing import NamedTuple

from hub.errors import BadObject, BlobNotFound
from hub.models import sql
from hub.queries.xet import XetLayout, columns_of
from hub.storage.digests import xorb_index_key, xorb_key
from hub.storage.large_files import iter_xet
from hub.storage.ports import BlobStore
from hub.storage.unreadable import unreadable_as_damage
from hub.xet.hashing import file_hash, to_text
from hub.xet.shards import Term
from hub.xet.xorbs import INDEX_ENTRY_BYTES, Extent, XorbIndex, verify_xorb

_BATCH = 200
_U32_BYTES = 4
_TERM = Struct("<qIII")

_XORBS = """
SELECT x.id, x.hash, x.n_chunks, x.raw_bytes, x.stored_bytes, x.chunk_ends, x.chunk_lens
FROM hub_xorb x
WHERE x.id > %(after)s AND (%(repo)s::bigint IS NULL OR EXISTS (
    SELECT FROM hub_xetfilexorb n JOIN hub_xetrepofile r ON r.file_id = n.file_id
    WHERE r.repo_id = %(repo)s AND n.xorb_id = x.id))
ORDER BY x.id LIMIT %(limit)s
"""
_FILES = """
SELECT f.id, f.hash, f.sha256, f.size, f.terms,
    ARRAY(SELECT n.xorb_id FROM hub_xetfilexorb n WHERE n.file_id = f.id),
    EXISTS (SELECT FROM hub_xetrepofile r WHERE r.file_id = f.id AND r.sha256 <> f.sha256)
FROM hub_xetfile f
WHERE f.id > %(after)s AND (%(repo)s::bigint IS NULL OR EXISTS (
    SELECT FROM hub_xetrepofile r WHERE r.repo_id = %(repo)s AND r.file_id = f.id))
ORDER BY f.id LIMIT %(limit)s
"""


class _Xorb(NamedTuple):
    """A row of ``hub_xorb``."""

    id: int
    hash: bytes
    n_chunks: int
    raw_bytes: int
    stored_bytes: int
    chunk_ends: bytes
    chunk_lens: bytes


class _File(NamedTuple):
    """A row of ``hub_xetfile``, with the xorbs that it is said to need."""

    id: int
    hash: bytes
    sha256: bytes
    size: int
    terms: bytes
    xorb_ids: list[int]
    is_renamed: bool


def xorb_faults(store: BlobStore, repo_id: int | None, *, deep: bool) -> Iterator[tuple[str, str]]:
    """Every xorb's bytes and index are there and fit its row; deep: and hash to its name.

    Answers where it lies, or should, and what is wrong with it.
    """
    after = 0
    while rows := sql.rows(_XORBS, {"after": after, "repo": repo_id, "limit": _BATCH}):
        for xorb in (_Xorb(*row) for row in rows):
            text = to_text(xorb.hash)
            try:
                with unreadable_as_damage():
                    _check_xorb(store, xorb, deep=deep)
            except (BadObject, BlobNotFound) as fault:
                yield xorb_key(text), f"xorb {text}: {fault}"
        after = rows[-1][0]


def _check_xorb(store: BlobStore, xorb: _Xorb, *, deep: bool) -> None:
    _check_size(store, xorb)
    index = _readable_index(store, xorb.hash)
    if index is not None:
        _check_row(index, xorb)
    if deep:
        _check_chunks(store, xorb.hash, index)


def index_faults(store: BlobStore, repo_id: int | None) -> Iterator[tuple[str, str]]:
    """Every xorb has a whole index; answers where the xorb lies, and what is wrong."""
    after = 0
    while rows := sql.rows(_XORBS, {"after": after, "repo": repo_id, "limit": _BATCH}):
        for xorb in (_Xorb(*row) for row in rows):
            text = to_text(xorb.hash)
            expected = len(xorb.chunk_ends) // _U32_BYTES * INDEX_ENTRY_BYTES
            if store.size(xorb_index_key(text)) != expected:
                yield xorb_key(text), f"the index of xorb {text} is cut or gone"
        after = rows[-1][0]


def _readable_index(store: BlobStore, xorb: bytes) -> XorbIndex | None:
    try:
        return _index(store, xorb)
    except (BadObject, BlobNotFound):
        return None


def _check_size(store: BlobStore, xorb: _Xorb) -> None:
    size = store.size(xorb_key(to_text(xorb.hash)))
    if size != xorb.stored_bytes:
        raise BadObject(f"The store has {size or 'no'} bytes of it, not {xorb.stored_bytes}.")


def _check_row(index: XorbIndex, xorb: _Xorb) -> None:
    if index.columns() != (xorb.chunk_ends, xorb.chunk_lens):
        raise BadObject("Its index differs from its row.")
    counts = (index.n_chunks, index.raw_bytes, index.stored_bytes)
    if counts != (xorb.n_chunks, xorb.raw_bytes, xorb.stored_bytes):
        raise BadObject("Its row counts its chunks or bytes wrongly.")


def _check_chunks(store: BlobStore, xorb: bytes, index: XorbIndex | None) -> None:
    with store.open(xorb_key(to_text(xorb))) as source:
        if verify_xorb(source, len, expected=xorb) != index and index is not None:
            raise BadObject("Its index differs from its bytes.")


def _index(store: BlobStore, xorb: bytes) -> XorbIndex:
    with store.open(xorb_index_key(to_text(xorb))) as file:
        return XorbIndex.from_bytes(xorb, file.read())


def file_faults(store: BlobStore, repo_id: int | None, *, deep: bool) -> Iterator[str]:
    """Every file's terms lie in xorbs that are known and needed; deep: and hash to its names."""
    after = 0
    while rows := sql.rows(_FILES, {"after": after, "repo": repo_id, "limit": _BATCH}):
        for file in (_File(*row) for row in rows):
            try:
                layout = _check_terms(file, _xorbs_of(file))
                if deep:
                    with unreadable_as_damage():
                        _check_content(store, file, layout)
            except (BadObject, BlobNotFound) as fault:
                yield f"file {to_text(file.hash)}: {fault}"
        after = rows[-1][0]


def _xorbs_of(file: _File) -> dict[int, bytes]:
    """The xorbs that the terms name, which are those that the file is said to need."""
    ids = {xorb_id for xorb_id, _start, _end, _size in _TERM.iter_unpack(file.terms)}
    hashes: dict[int, bytes] = dict(
        sql.rows("SELECT id, hash FROM hub_xorb WHERE id = ANY(%s)", [list(ids)])
    )
    if missing := ids - hashes.keys():
        raise BadObject(f"Its xorb number {min(missing)} is missing.")
    if set(file.xorb_ids) != ids:
        raise BadObject("The list of the xorbs that it needs is wrong.")
    return hashes


def _check_terms(file: _File, hashes: dict[int, bytes]) -> XetLayout:
    terms = tuple([Term(hashes[row[0]], *row[1:]) for row in _TERM.iter_unpack(file.terms)])
    layout = XetLayout(file.size, terms, columns_of(hashes.values()))
    if not all(_fits(term, layout.extent(term.xorb)) for term in terms):
        raise BadObject("A term does not lie in its xorb.")
    if sum(term.unpacked_bytes for term in terms) != file.size:
        raise BadObject(f"Its terms do not have {file.size} bytes together.")
    if file.is_renamed:
        raise BadObject("A repo holds it under another SHA-256.")
    return layout


def _fits(term: Term, extent: Extent) -> bool:
    if not 0 <= term.start < term.end <= extent.n_chunks:
        return False
    return extent.raw_len(term.start, term.end) == term.unpacked_bytes


def _check_content(store: BlobStore, file: _File, layout: XetLayout) -> None:
    indexes = {xorb: _index(store, xorb) for xorb in layout.columns}
    chunks = [indexes[term.xorb].nodes(term.start, term.end) for term in layout.terms]
    if file_hash(chain.from_iterable(chunks)) != file.hash:
        raise BadObject("Its chunks make another file.")
    digest = hashlib.sha256()
    for piece in iter_xet(store, layout.terms, layout.extent, 0, file.size):
        digest.update(piece)
    if digest.digest() != file.sha256:
        raise BadObject("Its bytes have another SHA-256.")
