from dataclasses import replace
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import BadObject
from hub.xet.hashing import from_text, to_text
from hub.xet.shards import (
    MAX_FILES,
    MAX_SHARD_BYTES,
    MAX_TERMS,
    MAX_XORBS,
    FileInfo,
    Term,
    XorbInfo,
    parse_shard,
    verify_file,
    verify_xorb_info,
)
from tests.hub.xet.samples import (
    BOOKEND,
    HELLO,
    HELLO_SHA256,
    HELLO_SHARD,
    SHARD_HEADER,
    FileSample,
    index_of,
    shard_of,
)

HELLO_FILE = "a9dae0ad88b060bdd7e7c87abdcf95b132c95a0414b06d4f6beb68d287b87165"
HELLO_HASH = from_text("d8d408e608fb9ca213b9909a65d86d725f2de4d8d540324be8a363e7a6e228cb")
FIRST = index_of([b"one", b"two2", b"three", b"4"])
SECOND = index_of([b"five55", b"six"])
INDEXES = {FIRST.hash: FIRST, SECOND.hash: SECOND}
TRUE_FILE = FileSample.over((FIRST, 1, 3), (SECOND, 0, 2), (FIRST, 0, 1))


def verified(sample: FileSample) -> int:
    [file] = parse_shard(shard_of([sample])).files
    return verify_file(file, INDEXES.__getitem__)


def test_a_real_shard_is_read() -> None:
    shard = parse_shard(HELLO_SHARD)

    [file], [xorb] = shard.files, shard.xorbs
    assert to_text(file.hash) == HELLO_FILE
    assert file.sha256.hex() == HELLO_SHA256
    assert file.terms == (Term(HELLO_HASH, 0, 1, 12),)
    assert xorb == XorbInfo(HELLO_HASH, HELLO_HASH, lens=(12,), hinted=())


def test_a_real_shard_is_true_of_its_xorb() -> None:
    shard, index = parse_shard(HELLO_SHARD), index_of([HELLO])

    verify_xorb_info(shard.xorbs[0], index)
    assert verify_file(shard.files[0], {index.hash: index}.__getitem__) == 12


def test_a_file_over_several_xorbs_is_verified() -> None:
    assert verified(TRUE_FILE) == len(b"two2three" + b"five55six" + b"one")


def test_an_empty_file_is_verified() -> None:
    assert verified(FileSample.over()) == 0


def test_files_and_xorbs_of_a_shard_come_in_order() -> None:
    other = FileSample.over((SECOND, 0, 1))

    shard = parse_shard(shard_of([TRUE_FILE, other], [SECOND, FIRST]))

    assert [file.terms for file in shard.files] == [TRUE_FILE.terms, other.terms]
    assert [info.hash for info in shard.xorbs] == [SECOND.hash, FIRST.hash]


@pytest.mark.parametrize(
    "lie",
    [
        replace(TRUE_FILE, hash=bytes(32)),
        replace(TRUE_FILE, proofs=(bytes(32), *TRUE_FILE.proofs[1:])),
        replace(TRUE_FILE, terms=TRUE_FILE.terms[::-1], proofs=TRUE_FILE.proofs[::-1]),
        replace(TRUE_FILE, terms=(replace(TRUE_FILE.terms[0], start=0), *TRUE_FILE.terms[1:])),
        replace(TRUE_FILE, terms=(replace(TRUE_FILE.terms[0], end=5), *TRUE_FILE.terms[1:])),
        replace(
            TRUE_FILE, terms=(replace(TRUE_FILE.terms[0], unpacked_bytes=8), *TRUE_FILE.terms[1:])
        ),
    ],
    ids=["hash", "proof", "order", "start", "end", "length"],
)
def test_a_file_that_its_terms_do_not_make_is_refused(lie: FileSample) -> None:
    with pytest.raises(BadObject):
        verified(lie)


@pytest.mark.parametrize(
    "flags", [0, 0x80000000, 0x40000000, 0xC0000001, 0xE0000000], ids="{:x}".format
)
def test_a_file_without_proofs_or_sha256_is_refused(flags: int) -> None:
    with pytest.raises(BadObject, match="File"):
        parse_shard(shard_of([replace(TRUE_FILE, flags=flags)]))


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (0, 8193), (8192, 2**32 - 1)])
def test_a_term_without_chunks_or_beyond_any_xorb_is_refused(start: int, end: int) -> None:
    sample = replace(TRUE_FILE, terms=(Term(FIRST.hash, start, end, 1),), proofs=(bytes(32),))

    with pytest.raises(BadObject):
        parse_shard(shard_of([sample]))


def test_a_xorb_described_as_it_is_passes() -> None:
    [info] = parse_shard(shard_of(xorbs=[FIRST])).xorbs

    verify_xorb_info(info, FIRST)


def test_a_xorb_described_with_another_chunk_is_refused() -> None:
    [info] = parse_shard(shard_of(xorbs=[FIRST])).xorbs
    lies = [
        replace(info, hash=SECOND.hash),
        replace(info, lens=(*info.lens[:-1], 2)),
        replace(info, chunk_hashes=info.chunk_hashes[32:] + info.chunk_hashes[:32]),
    ]

    for lie in lies:
        with pytest.raises(BadObject):
            verify_xorb_info(lie, FIRST)


def test_chunks_that_the_client_marks_are_noted() -> None:
    body = bytearray(shard_of(xorbs=[FIRST]))
    third_chunk = len(SHARD_HEADER) + len(BOOKEND) + 48 * 3
    body[third_chunk + 40 : third_chunk + 44] = pack("<I", 1 << 31)

    assert parse_shard(bytes(body)).xorbs[0].hinted == (2,)


@pytest.mark.parametrize("footer_bytes", [200, 2**64 - 1])
def test_what_the_header_says_of_a_footer_is_not_believed(footer_bytes: int) -> None:
    body = HELLO_SHARD[:40] + pack("<Q", footer_bytes) + HELLO_SHARD[48:]

    assert parse_shard(body) == parse_shard(HELLO_SHARD)


def test_look_up_tables_and_footer_are_not_looked_at() -> None:
    assert parse_shard(HELLO_SHARD + b"\xab" * 777) == parse_shard(HELLO_SHARD)


def test_a_shard_cut_anywhere_is_refused() -> None:
    body = shard_of([TRUE_FILE], [FIRST, SECOND])

    for size in range(len(body)):
        with pytest.raises(BadObject):
            parse_shard(body[:size])


@pytest.mark.parametrize("at", [0, 14, 31, 32, 39])
def test_another_tag_or_version_is_refused(at: int) -> None:
    body = bytearray(HELLO_SHARD)
    body[at] ^= 1

    with pytest.raises(BadObject):
        parse_shard(bytes(body))


@pytest.mark.parametrize("flags", [0, 0xC0000000])
def test_a_count_is_not_believed_before_the_bytes_are_there(flags: int) -> None:
    for section in (SHARD_HEADER, SHARD_HEADER + BOOKEND):
        with pytest.raises(BadObject):
            parse_shard(section + pack("<32sIIII", bytes(32), flags, 2**32 - 1, 0, 0))


def test_a_xorb_described_without_chunks_is_refused() -> None:
    empty = pack("<32sIIII", FIRST.hash, 0, 0, 0, 0)

    with pytest.raises(BadObject):
        parse_shard(SHARD_HEADER + BOOKEND + empty + BOOKEND)


def test_a_small_shard_cannot_ask_for_endless_hashing() -> None:
    everything = Term(FIRST.hash, 0, 8192, 8192)
    greedy = replace(TRUE_FILE, terms=(everything,) * 513, proofs=(bytes(32),) * 513)

    with pytest.raises(BadObject, match="chunks"):
        parse_shard(shard_of([greedy]))


def empty_files(count: int) -> bytes:
    return FileSample.over().to_bytes() * count


def one_file(n_terms: int) -> bytes:
    terms = [pack("<32sIIII", pack("<Q24x", i), 0, 1, 0, 1) for i in range(n_terms)]
    head = pack("<32sII8x", bytes(32), 0xC0000000, n_terms)
    return head + b"".join(terms) + bytes(48 * (n_terms + 1))


def described(n_xorbs: int) -> bytes:
    return shard_of(xorbs=[SECOND])[96:-48] * n_xorbs


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (empty_files(MAX_FILES + 1), "files"),
        (pack("<32sII8x", bytes(32), 0xC0000000, MAX_TERMS + 1), "terms"),
        (one_file(MAX_XORBS + 1) + BOOKEND, "xorbs"),
        (BOOKEND + described(MAX_XORBS + 1), "xorbs"),
        (bytes(MAX_SHARD_BYTES), "bytes"),
    ],
    ids=["files", "terms", "named xorbs", "described xorbs", "bytes"],
)
def test_a_shard_over_a_limit_is_refused(body: bytes, limit: str) -> None:
    with pytest.raises(BadObject, match=f"at most .*{limit}"):
        parse_shard(SHARD_HEADER + body)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_damaged_shard_is_refused_or_read_but_never_breaks(data: st.DataObject) -> None:
    body = bytearray(shard_of([TRUE_FILE], [FIRST]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))

    try:
        shard = parse_shard(bytes(body))
    except BadObject:
        return

    for file in shard.files:
        _verify_or_refuse(file)


def _verify_or_refuse(file: FileInfo) -> None:
    try:
        verify_file(file, lambda xorb: INDEXES.get(xorb, FIRST))
    except BadObject:
        return
    assert file.hash in {TRUE_FILE.hash, bytes(32)}
