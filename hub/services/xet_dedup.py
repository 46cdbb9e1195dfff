"""Tell clients which chunks their domain holds, so that they do not send them again."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from hub.errors import BadObject, BlobNotFound
from hub.models import sql
from hub.queries import xet
from hub.services import xet_touching
from hub.xet import dedup
from hub.xet.shards import Shard, Term
from hub.xet.xorbs import XorbIndex
from teams.errors import Invalid, NotFound

KEY_LIFE = timedelta(days=7)
"""A client keeps one table per key that it was shown, and hashes each chunk once for each."""
ANSWER_LIFE = timedelta(hours=24)
MAX_HINTS = 64
"""How many chunks of one xorb a client may want to find again, beside those of the protocol."""


Hints = Mapping[bytes, Sequence[int]]
"""Xorb -> numbers of its chunks."""


class DedupChunk(NamedTuple):
    """A chunk of a file by which others may find the xorbs of that file."""

    chunk: bytes
    xorb: bytes
    file: bytes


def answer(chunk: bytes, *, cas: str) -> bytes:
    """Name the xorb of the domain that holds a chunk, and those that lie beside it in a file.

    ``cas`` is domain and epoch. What is answered is kept for as long as clients remember it.

    Raises:
        NotFound: the domain holds no such chunk, whoever else does.
    """
    found = xet.siblings(int(cas.partition(".")[0]), chunk)
    with suppress(Invalid):
        xet_touching.touch([one.hash for one in found if not one.is_fresh])
        if indexes := list(_indexes(one.hash for one in found)):
            now = int(time.time())
            week = now // int(KEY_LIFE.total_seconds())
            ends = (week + 1) * int(KEY_LIFE.total_seconds())
            expires = min(ends, now + int(ANSWER_LIFE.total_seconds()))
            return dedup.answer(indexes, key=_key(cas, week), created=now, expires=expires)
    raise NotFound


def _indexes(xorbs: Iterable[bytes]) -> Iterator[XorbIndex]:
    for xorb in xorbs:
        # A damaged index costs its xorb the dedup and nobody the upload.
        with suppress(BadObject, BlobNotFound):
            yield xet.xorb_index(xorb)


def _key(cas: str, week: int) -> bytes:
    """The domain's key of that week: every process finds the same, and nobody has to keep it."""
    return salted_hmac("hub.xet.dedup", f"{cas}.{week}", algorithm="sha256").digest()


def chunks_of(shard: Shard) -> list[DedupChunk]:
    """The chunks of a checked shard that clients will ask about."""
    hints = hints_of(shard)
    found = [one for file in shard.files for one in chunks_in(file.hash, file.terms, hints)]
    return sorted({one.chunk: one for one in found}.values())


def hints_of(shard: Shard) -> Hints:
    """Which chunks of its xorbs the client marked."""
    return {info.hash: info.hinted[:MAX_HINTS] for info in shard.xorbs}


def chunks_in(file: bytes, terms: Sequence[Term], hints: Hints) -> Iterator[DedupChunk]:
    """The chunks of a file that clients will ask about.

    The first, those that the protocol picks by their hash, and those that the client marked.

    Raises:
        BadObject, BlobNotFound: the index of a xorb is damaged, or gone.
    """
    for term in terms:
        index = xet.xorb_index(term.xorb)
        asked = {term.start + at for at in dedup.eligible(index.hashes(term.start, term.end))}
        asked |= {at for at in hints.get(term.xorb, ()) if term.start <= at < term.end}
        if term is terms[0]:
            asked.add(term.start)
        for at in asked:
            yield DedupChunk(index.hashes(at, at + 1), term.xorb, file)


_REMEMBER = """
INSERT INTO hub_xetdedupchunk (domain_id, chunk_hash, xorb_id, file_id)
SELECT %s, row.* FROM unnest(%s::bytea[], %s::bigint[], %s::bigint[]) row
ON CONFLICT (domain_id, chunk_hash)
DO UPDATE SET xorb_id = EXCLUDED.xorb_id, file_id = EXCLUDED.file_id
WHERE hub_xetdedupchunk.file_id <> EXCLUDED.file_id
"""


def remember(domain_id: int, rows: Sequence[tuple[bytes, int, int]]) -> None:
    """Let queries find these chunks, each with the ids of its xorb and its file.

    The newest file wins: it is the one that will be there longest. A file that is known keeps the
    xorbs that we build it from, wherever else its chunks lie now. The rows come in the order of the
    chunks, so that no two callers wait in a ring.
    """
    if rows:
        chunks, xorbs, files = zip(*rows, strict=True)
        sql.run(_REMEMBER, [domain_id, list(chunks), list(xorbs), list(files)])
