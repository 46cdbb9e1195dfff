from itertools import pairwise
from struct import unpack_from

import pytest

from hub.xet.dedup import answer, eligible, info_bytes
from hub.xet.hashing import keyed_chunk_hash
from hub.xet.shards import parse_shard
from tests.hub.xet.samples import cut, index_of, lcg

BODY = lcg(300_000, 7)
FIRST = index_of(list(cut(BODY, (18687, 31280, 131072))))
SECOND = index_of(list(cut(BODY[181_039:], (32482, 37293, 49186))))
KEY = bytes(range(32))


def test_an_answer_names_chunks_only_under_its_key() -> None:
    shard = answer([FIRST, SECOND], key=KEY, created=1000, expires=2000)

    read = parse_shard(shard)
    assert read.files == ()
    for info, index in zip(read.xorbs, (FIRST, SECOND), strict=True):
        plain = [chunk for chunk, _length in index.nodes(0, index.n_chunks)]
        assert info.hash == index.hash
        assert info.lens == index.lens
        assert info.chunk_hashes == b"".join(keyed_chunk_hash(KEY, chunk) for chunk in plain)
        assert not any(chunk in shard for chunk in plain)


def test_the_footer_says_where_everything_lies_and_how_long_it_holds() -> None:
    shard = answer([FIRST, SECOND], key=KEY, created=1000, expires=2000)

    (footer_at,) = unpack_from("<Q", shard, len(shard) - 8)
    version, files_at, xorbs_at = unpack_from("<3Q", shard, footer_at)
    key, created, expires = unpack_from("<32s2Q", shard, footer_at + 72)
    header_says = unpack_from("<Q", shard, 40)

    assert (version, files_at, footer_at) == (1, 48, len(shard) - 200)
    assert header_says == (200,)
    assert shard[files_at : files_at + 32] == b"\xff" * 32
    assert shard[xorbs_at : xorbs_at + 32] == FIRST.hash
    assert footer_at == xorbs_at + info_bytes(3) + info_bytes(3) + 48
    assert (key, created, expires) == (KEY, 1000, 2000)


def test_an_answer_without_a_key_is_never_made() -> None:
    with pytest.raises(ValueError, match="key"):
        answer([FIRST], key=bytes(32), created=0, expires=1)


def test_chunks_are_picked_by_the_last_word_of_their_hash() -> None:
    hashes = [bytes(24) + number.to_bytes(8, "little") for number in (0, 1, 1023, 1024, 5 << 40)]

    assert eligible(b"".join(hashes)) == [0, 3, 4]
    assert eligible(b"") == []


def test_offsets_within_a_xorb_add_up() -> None:
    shard = answer([FIRST], key=KEY, created=0, expires=1)

    rows = [unpack_from("<II", shard, 96 + 48 * (1 + at) + 32) for at in range(3)]

    assert rows[0][0] == 0
    assert all(after[0] == before[0] + before[1] for before, after in pairwise(rows))
