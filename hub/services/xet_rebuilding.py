"""Find anew, from what is stored, by which chunks clients may ask for the files of a domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import transaction

from hub.errors import BadObject, BlobNotFound
from hub.models import XetDomain, sql
from hub.queries.stored import shard_keys
from hub.queries.xet import unpacked_terms
from hub.services import xet_dedup, xet_shards
from hub.services.xet_dedup import DedupChunk, Hints

_BATCH = 200
_FILES = """
SELECT f.id, f.hash, f.terms, f.shard_id FROM hub_xetfile f
WHERE f.id > %s AND EXISTS (
    SELECT FROM hub_xetrepofile r JOIN hub_repo p ON p.id = r.repo_id
    WHERE r.file_id = f.id AND p.namespace_id = %s)
ORDER BY f.id LIMIT %s FOR KEY SHARE OF f
"""
_XORBS = """
SELECT x.hash, x.id FROM hub_xorb x JOIN hub_xorbdomain m ON m.xorb_id = x.id
WHERE m.domain_id = %s AND x.hash = ANY(%s)
"""


@dataclass
class Rebuilt:
    """What was looked at in a domain, and what came of it."""

    files: int = 0
    chunks: int = 0
    unreadable: int = 0
    """Files that cannot be found by their chunks: the index of a xorb is damaged, or gone."""


def rebuild(domain: XetDomain) -> Rebuilt:
    """Write all rows of a domain anew. Until it is done, some of its queries find nothing.

    The newest file wins, as it does when files are registered. May be cut off and begun again.
    """
    done = Rebuilt()
    sql.run("DELETE FROM hub_xetdedupchunk WHERE domain_id = %s", [domain.pk])
    after = 0
    while last := _rebuild_some(domain, after, done):
        after = last
    return done


@transaction.atomic
def _rebuild_some(domain: XetDomain, after: int, done: Rebuilt) -> int:
    """Look at the next files, which nobody deletes meanwhile; answer the last, 0 if none is."""
    rows = sql.rows(_FILES, [after, domain.namespace_id, _BATCH])
    found: dict[bytes, DedupChunk] = {}
    for _pk, digest, packed, shard in rows:
        try:
            chunks = list(xet_dedup.chunks_in(digest, unpacked_terms(packed), _hints(shard)))
        except (BadObject, BlobNotFound):
            done.unreadable += 1
        else:
            found |= {one.chunk: one for one in chunks}
    files = {digest: pk for pk, digest, _packed, _shard in rows}
    done.files += len(rows)
    done.chunks += _remember(domain, sorted(found.values()), files)
    return rows[-1][0] if rows else 0


def _remember(domain: XetDomain, chunks: Sequence[DedupChunk], files: dict[bytes, int]) -> int:
    """Note the chunks whose xorbs the domain holds: of a file that was lent to it, it may not."""
    ids = dict(sql.rows(_XORBS, [domain.pk, list({one.xorb for one in chunks})]))
    rows = [(one.chunk, ids[one.xorb], files[one.file]) for one in chunks if one.xorb in ids]
    xet_dedup.remember(domain.pk, rows)
    return len(rows)


@lru_cache(maxsize=16)
def _hints(shard: bytes | None) -> Hints:
    """What the client marked; nothing where the shard has no row, is damaged, or is gone."""
    for key in shard_keys([shard] if shard else []).values():
        try:
            return xet_dedup.hints_of(xet_shards.read(key))
        except (BadObject, BlobNotFound):
            return {}
    return {}


def raise_epochs(domains: Sequence[XetDomain]) -> None:
    """Let the clients of these domains forget what they remember of their xorbs.

    They remember by the address that a token names, and the next one names another.
    """
    sql.run(
        "UPDATE hub_xetdomain SET epoch = epoch + 1 WHERE id = ANY(%s)",
        [[domain.pk for domain in domains]],
    )
