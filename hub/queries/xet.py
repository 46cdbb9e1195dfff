"""Files in Xet form: their terms, and the places of chunks in xorbs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from hub.errors import BadObject, BlobNotFound
from hub.models import sql
from hub.queries.store import blob_store
from hub.storage.digests import xorb_index_key
from hub.xet.dedup import info_bytes
from hub.xet.hashing import to_text
from hub.xet.reconstruction import Reconstruction, reconstruct, xorbs_in
from hub.xet.shards import Term
from hub.xet.xorbs import Extent, XorbIndex
from teams.errors import Damaged, Invalid

_TERM = Struct("<qIII")


class KnownXorb(NamedTuple):
    """A xorb that a domain is a member of."""

    id: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class XetLayout:
    """A file as terms, with the columns of its xorbs; it needs no database any more."""

    size: int
    terms: tuple[Term, ...]
    columns: Mapping[bytes, tuple[bytes, bytes]]

    def extent(self, xorb: bytes) -> Extent:
        return _extent(*self.columns[xorb])


@lru_cache(maxsize=64)
def _extent(ends: bytes, lens: bytes) -> Extent:
    return Extent.from_columns(ends, lens)


def packed_terms(terms: Iterable[Term], ids: Mapping[bytes, int]) -> bytes:
    """Terms as ``XetFile.terms`` keeps them."""
    return b"".join([_TERM.pack(ids[t.xorb], t.start, t.end, t.unpacked_bytes) for t in terms])


def xet_hash_of(repo_id: int, sha256: bytes) -> bytes | None:
    """The Xet hash of a file of the repo, if the repo holds it in Xet form."""
    row = sql.row(
        "SELECT f.hash FROM hub_xetrepofile r JOIN hub_xetfile f ON f.id = r.file_id "
        "WHERE r.repo_id = %s AND r.sha256 = %s LIMIT 1",
        [repo_id, sha256],
    )
    return row[0] if row else None


def size_of(repo_id: int, file: bytes) -> int:
    """The size of a file that the repo holds.

    Raises:
        BlobNotFound: it holds no such file.
    """
    return _file_row(repo_id, file)[0]


def facts_of(repo_id: int, file: bytes) -> tuple[int, bytes]:
    """Size and SHA-256 of a file that the repo holds.

    Raises:
        BlobNotFound: it holds no such file.
    """
    row = _file_row(repo_id, file)
    return row[0], row[2]


def layout_of(repo_id: int, file: bytes) -> XetLayout:
    """Everything that is needed to read a file that the repo holds.

    Raises:
        BlobNotFound: it holds no such file.
        Damaged: a xorb of it is.
    """
    size, packed, _sha256 = _file_row(repo_id, file)
    terms = unpacked_terms(packed)
    return XetLayout(size, terms, _sound_columns({term.xorb for term in terms}))


def layouts_by_sha256(sha256: bytes) -> list[tuple[int, XetLayout]]:
    """Every file of these bytes, with its id, whichever repos hold it."""
    rows = sql.rows(
        "SELECT id, size, terms FROM hub_xetfile WHERE sha256 = %s ORDER BY id", [sha256]
    )
    found = []
    for file_id, size, packed in rows:
        terms = unpacked_terms(packed)
        columns = columns_of({term.xorb for term in terms})
        found.append((file_id, XetLayout(size, terms, columns)))
    return found


def reconstruction(repo_id: int, file: bytes, start: int, stop: int | None) -> Reconstruction:
    """How to put the bytes ``[start:stop]`` of a file together; no store is touched.

    Raises:
        BlobNotFound: the repo holds no such file.
        Damaged: a xorb of that range is.
        Unsatisfiable: the file has no byte in that range.
    """
    size, packed, _sha256 = _file_row(repo_id, file)
    terms = unpacked_terms(packed)
    end = size if stop is None else min(stop, size)
    columns = _sound_columns(xorbs_in(terms, start, end))
    extents = {xorb: _extent(*both) for xorb, both in columns.items()}
    return reconstruct(terms, extents, start, end)


def known_xorbs(domain_id: int, hashes: Iterable[bytes]) -> dict[bytes, KnownXorb]:
    """Those of ``hashes`` of which the domain is a member and whose bytes are good."""
    rows = sql.rows(
        "SELECT x.hash, x.id, x.stored_bytes FROM hub_xorb x JOIN hub_xorbdomain d "
        "ON d.xorb_id = x.id WHERE d.domain_id = %s AND x.hash = ANY(%s) "
        "AND x.damaged_at IS NULL",
        [domain_id, list(hashes)],
    )
    return {xorb: KnownXorb(*columns) for xorb, *columns in rows}


class Sibling(NamedTuple):
    """A xorb that a dedup query may name."""

    hash: bytes
    is_fresh: bool
    """Somebody touched it a moment ago; it need not be touched again."""


_FRESH = timedelta(hours=1)
_MAX_SIBLINGS = 32
_MAX_ANSWER_BYTES = 2 * 1024 * 1024

_CHUNK_PLACE = """
SELECT c.xorb_id, f.terms FROM hub_xetdedupchunk c JOIN hub_xetfile f ON f.id = c.file_id
WHERE c.domain_id = %s AND c.chunk_hash = %s
"""
_OFFERED = """
SELECT x.id, x.hash, x.n_chunks, x.touched_at > now() - %s::interval
FROM hub_xorb x JOIN hub_xorbdomain m ON m.xorb_id = x.id
WHERE m.domain_id = %s AND x.id = ANY(%s) AND x.condemned_at IS NULL AND x.damaged_at IS NULL
"""


def siblings(domain_id: int, chunk: bytes) -> list[Sibling]:
    """The xorb that holds a chunk, and the domain's others of the same file, nearest first.

    Nothing where the domain is no member of the first one, or nobody may rely on it any more.
    """
    place = sql.row(_CHUNK_PLACE, [domain_id, chunk])
    if place is None:
        return []
    nearest = _nearest(*place)
    rows = sql.rows(_OFFERED, [_FRESH, domain_id, nearest])
    offered = {xorb_id: columns for xorb_id, *columns in rows}
    found: list[Sibling] = []
    room = _MAX_ANSWER_BYTES
    for xorb_id in nearest if nearest[0] in offered else ():
        digest, n_chunks, is_fresh = offered.get(xorb_id, (b"", 0, False))
        room -= info_bytes(n_chunks)
        if digest and room >= 0:
            found.append(Sibling(digest, is_fresh))
    return found


def _nearest(xorb_id: int, terms: bytes) -> list[int]:
    """The xorb itself, then the others of these terms by how far from it they first come."""
    order = list(dict.fromkeys(row[0] for row in _TERM.iter_unpack(terms)))
    if xorb_id not in order:
        return [xorb_id]
    home = order.index(xorb_id)
    places = sorted(range(len(order)), key=lambda place: abs(place - home))
    return [order[place] for place in places[:_MAX_SIBLINGS]]


def check_known(domain_id: int, hashes: Iterable[bytes]) -> dict[bytes, KnownXorb]:
    """The same, for a caller who needs them all.

    Raises:
        Invalid: the domain is no member of one of them, whether or not others have it.
    """
    wanted = set(hashes)
    known = known_xorbs(domain_id, wanted)
    if missing := sorted(wanted - known.keys()):
        raise Invalid(
            f"The xorb {to_text(missing[0])} was not uploaded here ({len(missing)} missing). "
            "If it was deleted since, remove the client's Xet cache and upload again."
        )
    return known


@lru_cache(maxsize=64)
def xorb_index(xorb: bytes) -> XorbIndex:
    """The chunk hashes and lengths of a stored xorb. They never change, and go to nobody.

    Raises:
        BlobNotFound: its index is not in the store.
    """
    text = to_text(xorb)
    with blob_store().open(xorb_index_key(text)) as file:
        return XorbIndex.from_bytes(xorb, file.read())


def _file_row(repo_id: int, file: bytes) -> tuple[int, bytes, bytes]:
    row = sql.row(
        "SELECT f.size, f.terms, f.sha256 FROM hub_xetfile f "
        "JOIN hub_xetrepofile r ON r.file_id = f.id "
        "WHERE r.repo_id = %s AND f.hash = %s",
        [repo_id, file],
    )
    if row is None:
        raise BlobNotFound(f"This repo has no file {to_text(file)}.")
    return row[0], row[1], row[2]


def unpacked_terms(packed: bytes) -> tuple[Term, ...]:
    """Terms from what ``XetFile.terms`` keeps."""
    rows = list(_TERM.iter_unpack(packed))
    ids = {row[0] for row in rows}
    found = sql.rows("SELECT id, hash FROM hub_xorb WHERE id = ANY(%s)", [list(ids)])
    hashes = dict(found)
    return tuple([Term(hashes[xorb_id], start, end, size) for xorb_id, start, end, size in rows])


def columns_of(hashes: Iterable[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
    """Where the chunks of these xorbs end and how long they are, as the rows keep it."""
    rows = sql.rows(
        "SELECT hash, chunk_ends, chunk_lens FROM hub_xorb WHERE hash = ANY(%s)", [list(hashes)]
    )
    return {xorb: (ends, lens) for xorb, ends, lens in rows}


def _sound_columns(hashes: Iterable[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
    """The same, for a reader of the xorbs; Damaged if one is not to be read."""
    wanted = list(hashes)
    check_sound(wanted)
    return columns_of(wanted)


def check_sound(xorbs: Iterable[bytes]) -> None:
    """Refuse to serve what is known to be damaged.

    Raises:
        Damaged: one of these xorbs is.
    """
    damaged = sql.row(
        "SELECT hash FROM hub_xorb WHERE hash = ANY(%s) AND damaged_at IS NOT NULL LIMIT 1",
        [list(xorbs)],
    )
    if damaged:
        raise Damaged(f"{Damaged().message} (xorb {to_text(damaged[0])})")


def damaged_files(files: Iterable[bytes]) -> set[bytes]:
    """Those of ``files`` that need a damaged xorb."""
    rows = sql.rows(
        "SELECT DISTINCT f.hash FROM hub_xetfile f JOIN hub_xetfilexorb n ON n.file_id = f.id "
        "JOIN hub_xorb x ON x.id = n.xorb_id WHERE f.hash = ANY(%s) AND x.damaged_at IS NOT NULL",
        [list(files)],
    )
    return {digest for (digest,) in rows}


def chunk_hashes(xorb: bytes) -> bytes | None:
    """The hashes of a xorb's chunks, to compare what is read with; None where they are lost."""
    try:
        return xorb_index(xorb).chunk_hashes
    except (BadObject, BlobNotFound):
        return None
