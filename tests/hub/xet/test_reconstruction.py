from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.xet.hashing import to_text
from hub.xet.reconstruction import Fetch, Reconstruction, reconstruct, v1_body, v2_body, xorbs_in
from hub.xet.shards import Term
from hub.xet.xorbs import Extent, decode_chunks
from teams.errors import Unsatisfiable
from tests.hub.xet.samples import index_of, xorb_of

A, B = bytes([1]) * 32, bytes([2]) * 32
EXTENTS = {
    A: Extent(ends=(10, 30, 60, 100), lens=(10, 20, 30, 40)),
    B: Extent(ends=(7, 14), lens=(50, 50)),
}
TERMS = [Term(A, 1, 4, 90), Term(B, 0, 2, 100), Term(A, 0, 1, 10)]


def url_for(xorb: bytes, fetches: Sequence[Fetch]) -> str:
    return f"/{xorb[0]}?" + ",".join(f"{one.first_byte}-{one.last_byte}" for one in fetches)


def test_a_whole_file_has_all_its_terms() -> None:
    plan = reconstruct(TERMS, EXTENTS, 0, 200)

    assert (plan.skip, plan.terms) == (0, tuple(TERMS))
    assert plan.fetches == {A: (Fetch(0, 4, 0, 99),), B: (Fetch(0, 2, 0, 13),)}


def test_an_end_beyond_the_file_is_clipped() -> None:
    assert reconstruct(TERMS, EXTENTS, 5, 10**12) == reconstruct(TERMS, EXTENTS, 5, 200)


@pytest.mark.parametrize(("start", "stop"), [(200, 201), (10**12, 10**13), (5, 5), (7, 3)])
def test_a_range_without_a_byte_is_unsatisfiable(start: int, stop: int) -> None:
    with pytest.raises(Unsatisfiable):
        reconstruct(TERMS, EXTENTS, start, stop)


def test_an_empty_file_has_no_range() -> None:
    with pytest.raises(Unsatisfiable):
        reconstruct([], {}, 0, 1)


def test_terms_are_trimmed_to_the_chunks_of_the_range() -> None:
    plan = reconstruct(TERMS, EXTENTS, 25, 141)

    assert plan.skip == 5
    assert plan.terms == (Term(A, 2, 4, 70), Term(B, 0, 2, 100))


def test_a_range_within_one_chunk_has_this_chunk_alone() -> None:
    plan = reconstruct(TERMS, EXTENTS, 142, 143)

    assert (plan.skip, plan.terms) == (2, (Term(B, 1, 2, 50),))
    assert plan.fetches == {B: (Fetch(1, 2, 7, 13),)}


@pytest.mark.parametrize(("start", "stop", "chunks"), [(0, 20, (1, 2)), (20, 50, (2, 3))])
def test_a_range_that_ends_with_a_chunk_takes_no_more(
    start: int, stop: int, chunks: tuple[int, int]
) -> None:
    [term] = reconstruct(TERMS, EXTENTS, start, stop).terms

    assert (term.start, term.end) == chunks


def test_fetches_that_touch_or_overlap_become_one_and_others_stay_apart() -> None:
    extent = {A: Extent(ends=tuple(range(1, 11)), lens=(1,) * 10)}
    terms = [Term(A, a, b, b - a) for a, b in [(7, 9), (0, 2), (2, 3), (1, 2), (8, 10)]]

    plan = reconstruct(terms, extent, 0, 10)

    assert plan.fetches == {A: (Fetch(0, 3, 0, 2), Fetch(7, 10, 7, 9))}


def test_only_the_xorbs_of_the_range_are_needed() -> None:
    assert xorbs_in(TERMS, 95, 120) == {B}
    assert xorbs_in(TERMS, 0, 10**9) == {A, B}
    assert reconstruct(TERMS, {B: EXTENTS[B]}, 95, 120).terms == (Term(B, 0, 1, 50),)


def test_the_second_version_names_one_url_per_xorb() -> None:
    terms = [Term(A, 0, 1, 10), Term(A, 2, 3, 30)]

    body = v2_body(reconstruct(terms, EXTENTS, 3, 40), url_for)

    assert body == {
        "offset_into_first_range": 3,
        "terms": [
            {"hash": to_text(A), "unpacked_length": 10, "range": {"start": 0, "end": 1}},
            {"hash": to_text(A), "unpacked_length": 30, "range": {"start": 2, "end": 3}},
        ],
        "xorbs": {
            to_text(A): [
                {
                    "url": "/1?0-9,30-59",
                    "ranges": [
                        {"chunks": {"start": 0, "end": 1}, "bytes": {"start": 0, "end": 9}},
                        {"chunks": {"start": 2, "end": 3}, "bytes": {"start": 30, "end": 59}},
                    ],
                }
            ]
        },
    }


def test_the_first_version_names_one_url_per_fetch() -> None:
    terms = [Term(A, 0, 1, 10), Term(A, 2, 3, 30)]

    body = v1_body(reconstruct(terms, EXTENTS, 3, 40), url_for)

    assert body["offset_into_first_range"] == 3
    assert body["fetch_info"] == {
        to_text(A): [
            {
                "range": {"start": 0, "end": 1},
                "url": "/1?0-9",
                "url_range": {"start": 0, "end": 9},
            },
            {
                "range": {"start": 2, "end": 3},
                "url": "/1?30-59",
                "url_range": {"start": 30, "end": 59},
            },
        ]
    }


@dataclass(frozen=True)
class Client:
    """Puts a range together from a plan and stored bytes alone, as a client would."""

    bodies: dict[bytes, bytes]

    def read(self, terms: Sequence[Term], extents: dict[bytes, Extent], a: int, b: int) -> bytes:
        plan = reconstruct(terms, extents, a, b)
        out = []
        for term in plan.terms:
            [fetch] = [f for f in plan.fetches[term.xorb] if f.start <= term.start < f.end]
            stored = self.bodies[term.xorb][fetch.first_byte : fetch.last_byte + 1]
            chunks = list(decode_chunks(stored))
            piece = b"".join(chunks[term.start - fetch.start : term.end - fetch.start])
            assert len(piece) == term.unpacked_bytes
            out.append(piece)
        return b"".join(out)[plan.skip :][: b - a]


chunk_lists = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=6)


@given(st.data(), st.lists(chunk_lists, min_size=1, max_size=3))
@settings(deadline=None, max_examples=200)
def test_any_range_of_any_file_is_put_together(
    data: st.DataObject, xorbs: list[list[bytes]]
) -> None:
    indexes = [index_of(chunks, 1) for chunks in xorbs]
    client = Client({xorb_of(chunks, 1)[0]: xorb_of(chunks, 1)[1] for chunks in xorbs})
    terms, content = [], b""
    for _ in range(data.draw(st.integers(1, 5))):
        which = data.draw(st.integers(0, len(xorbs) - 1))
        start = data.draw(st.integers(0, len(xorbs[which]) - 1))
        end = data.draw(st.integers(start + 1, len(xorbs[which])))
        terms.append(Term(indexes[which].hash, start, end, indexes[which].raw_len(start, end)))
        content += b"".join(xorbs[which][start:end])
    low = data.draw(st.integers(0, len(content) - 1))
    high = data.draw(st.integers(low + 1, len(content) + 5))

    read = client.read(terms, {index.hash: index for index in indexes}, low, high)

    assert read == content[low:high]


def test_very_many_pieces_of_a_xorb_are_spread_over_several_urls() -> None:
    fetches = tuple(Fetch(2 * n, 2 * n + 1, 10 * n, 10 * n + 4) for n in range(150))
    plan = Reconstruction(0, (), {bytes(32): fetches})

    body: Any = v2_body(plan, lambda _xorb, some: f"{some[0].start}+{len(some)}")

    [entries] = body["xorbs"].values()
    assert [entry["url"] for entry in entries] == ["0+64", "128+64", "256+22"]
    assert sum(len(entry["ranges"]) for entry in entries) == 150
