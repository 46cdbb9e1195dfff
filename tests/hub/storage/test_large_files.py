from io import BytesIO
from random import Random

import pytest

from hub.errors import BadObject
from hub.storage import large_files
from hub.storage.digests import CHUNK_BYTES, lfs_key, xorb_key
from hub.storage.large_files import iter_blob, iter_xet
from hub.storage.memory import MemoryStore
from hub.xet.hashing import to_text
from hub.xet.shards import Term
from hub.xet.xorbs import XorbIndex, verify_xorb
from tests.hub.xet.samples import cut, lcg, xorb_of

BODY = lcg(300_000, 7)
CHUNKS = list(cut(BODY, (18687, 31280, 131072, 32482, 37293, 49186)))


class Stored:
    """A file of three terms over two xorbs, one of them used twice, and the same bytes whole."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.indices = dict(self._put(chunks, 2) for chunks in (CHUNKS[:4], CHUNKS[4:]))
        one, two = self.indices
        self.terms = [self._term(one, 0, 3), self._term(two, 0, 2), self._term(one, 1, 4)]
        parts = [*CHUNKS[:3], *CHUNKS[4:], *CHUNKS[1:4]]
        self.body = b"".join(parts)
        staged = self.store.stage([self.body])
        self.key = lfs_key(staged.sha256)
        self.store.publish(staged, self.key)

    def _put(self, chunks: list[bytes], scheme: int) -> tuple[bytes, XorbIndex]:
        xorb, body = xorb_of(chunks, scheme)
        self.store.publish(self.store.stage([body]), xorb_key(to_text(xorb)))
        return xorb, verify_xorb(BytesIO(body), len, expected=xorb)

    def _term(self, xorb: bytes, start: int, end: int) -> Term:
        return Term(xorb, start, end, self.indices[xorb].raw_len(start, end))

    def read(self, start: int, stop: int) -> bytes:
        return b"".join(iter_xet(self.store, self.terms, self.indices.__getitem__, start, stop))


@pytest.fixture(scope="module")
def stored() -> Stored:
    return Stored()


def test_a_file_of_terms_reads_like_the_same_bytes_whole(stored: Stored) -> None:
    random = Random(1)
    edges = [0, 1, 18687, 181039, 181040, len(stored.body) - 1, len(stored.body)]
    for _ in range(200):
        start, stop = sorted(random.choices([*edges, random.randrange(len(stored.body))], k=2))
        whole = b"".join(iter_blob(stored.store, stored.key, start, stop))

        assert stored.read(start, stop) == whole == stored.body[start:stop]


def test_small_windows_give_the_same_bytes(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files, "WINDOW_BYTES", 50_000)

    assert stored.read(5, 400_000) == stored.body[5:400_000]


def test_pieces_are_gathered_to_about_a_mebibyte(stored: Stored) -> None:
    terms = stored.terms * 10
    pieces = list(iter_xet(stored.store, terms, stored.indices.__getitem__, 0, 1 << 40))

    assert b"".join(pieces) == stored.body * 10
    assert all(CHUNK_BYTES <= len(piece) < 2 * CHUNK_BYTES for piece in pieces[:-1])


def test_a_range_touches_only_the_chunks_that_hold_it(stored: Stored) -> None:
    other = next(reversed(stored.indices))
    without = MemoryStore()
    key = xorb_key(to_text(stored.terms[0].xorb))
    without.publish(without.stage([stored.store.open(key).read()]), key)

    read = iter_xet(without, stored.terms, stored.indices.__getitem__, 100, 20_000)

    assert b"".join(read) == stored.body[100:20_000]
    assert other != stored.terms[0].xorb


def test_bytes_that_were_cut_off_are_not_served(stored: Stored) -> None:
    short = MemoryStore()
    key = xorb_key(to_text(stored.terms[0].xorb))
    short.publish(short.stage([stored.store.open(key).read()[:-1]]), key)
    terms = [Term(stored.terms[0].xorb, 0, 4, stored.indices[stored.terms[0].xorb].raw_bytes)]

    with pytest.raises(BadObject):
        list(iter_xet(short, terms, stored.indices.__getitem__, 0, 1 << 30))
