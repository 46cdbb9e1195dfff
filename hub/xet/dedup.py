"""Dedup: which chunks clients ask about, and the shard that answers them (Xet spec 1.1)."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct

import numpy as np

from hub.xet.hashing import HASH_BYTES, keyed_chunk_hash
from hub.xet.shards import BOOKEND, CHUNK, ENTRY, ENTRY_BYTES, HEADER, TAG, VERSION
from hub.xet.xorbs import XorbIndex

_ONE_IN = 1024
_FOOTER_VERSION = 1
_FOOTER = Struct("<9Q32s2Q48x4Q")
_END = BOOKEND + bytes(ENTRY_BYTES - len(BOOKEND))


def eligible(chunk_hashes: bytes) -> list[int]:
    """Positions of the chunks that a client asks about wherever in a file they stand.

    ``chunk_hashes`` are 32 bytes each, joined.
    """
    last_words = np.frombuffer(chunk_hashes, "<u8").reshape(-1, HASH_BYTES // 8)[:, -1]
    positions: list[int] = np.flatnonzero(last_words % _ONE_IN == 0).tolist()
    return positions


def info_bytes(n_chunks: int) -> int:
    """How many bytes of an answer a xorb of that many chunks takes."""
    return (1 + n_chunks) * ENTRY_BYTES


def answer(indexes: Sequence[XorbIndex], *, key: bytes, created: int, expires: int) -> bytes:
    """The shard that tells which chunks these xorbs hold, to whoever knows those chunks.

    Chunk hashes are shown under ``key``, never as they are: who could read them could claim to
    hold the data. ``created`` and ``expires`` are Unix seconds. Look-up tables are left out.

    Raises:
        ValueError: the key is zero, under which clients take the hashes for plain ones.
    """
    if not any(key):
        raise ValueError("A dedup answer needs a key")
    infos = b"".join([part for index in indexes for part in _info(index, key)])
    head = HEADER.pack(TAG, VERSION, _FOOTER.size)
    xorbs_at = len(head) + len(_END)
    footer_at = xorbs_at + len(infos) + len(_END)
    footer = _FOOTER.pack(
        _FOOTER_VERSION,
        len(head),
        xorbs_at,
        *(footer_at, 0) * 3,
        key,
        created,
        expires,
        sum(index.stored_bytes for index in indexes),
        0,
        sum(index.raw_bytes for index in indexes),
        footer_at,
    )
    return b"".join([head, _END, infos, _END, footer])


def _info(index: XorbIndex, key: bytes) -> Iterator[bytes]:
    yield ENTRY.pack(index.hash, 0, index.n_chunks, index.raw_bytes, index.stored_bytes)
    nodes = index.nodes(0, index.n_chunks)
    keyed = b"".join([keyed_chunk_hash(key, chunk) for chunk, _length in nodes])
    rows = np.zeros(index.n_chunks, CHUNK)
    rows["hash"] = np.frombuffer(keyed, "u1").reshape(-1, HASH_BYTES)
    rows["at"] = list(accumulate(index.lens[:-1], initial=0))
    rows["len"] = index.lens
    yield rows.tobytes()
