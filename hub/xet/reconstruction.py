"""How to put a range of a file together: which chunks of which xorbs, in which bytes."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from hub.xet.hashing import to_text
from hub.xet.shards import Term
from hub.xet.xorbs import Extent
from teams.errors import Unsatisfiable

FETCHES_PER_URL = 64


class Fetch(NamedTuple):
    """Chunks ``[start:end]`` of a xorb, and its stored bytes from first to last, both included."""

    start: int
    end: int
    first_byte: int
    last_byte: int


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Terms in the order of the file, and what to fetch for them.

    The fetches of a xorb are sorted and disjoint, and every term lies within one of them.
    """

    skip: int
    """How many bytes of the first term come before the asked range."""
    terms: tuple[Term, ...]
    fetches: Mapping[bytes, tuple[Fetch, ...]]


UrlFor = Callable[[bytes, Sequence[Fetch]], str]
"""Makes the URL that serves these fetches of a xorb."""


def xorbs_in(terms: Sequence[Term], start: int, stop: int) -> set[bytes]:
    """The xorbs whose extents :func:`reconstruct` needs for the bytes ``[start:stop]``."""
    return {term.xorb for term, _low, _high in _overlaps(terms, start, stop)}


def reconstruct(
    terms: Sequence[Term], extents: Mapping[bytes, Extent], start: int, stop: int
) -> Reconstruction:
    """Plan how to get the bytes ``[start:stop]`` of a file, cut at its end.

    Raises:
        Unsatisfiable: the file has no byte in that range.
    """
    trimmed: list[Term] = []
    skip = 0
    for term, low, high in _overlaps(terms, start, stop):
        piece, before = _trim(term, extents[term.xorb], low, high)
        skip = skip if trimmed else before
        trimmed.append(piece)
    if not trimmed:
        raise Unsatisfiable
    spans: dict[bytes, list[tuple[int, int]]] = {}
    for term in trimmed:
        spans.setdefault(term.xorb, []).append((term.start, term.end))
    fetches = {xorb: tuple(_fetches(spans[xorb], extents[xorb])) for xorb in spans}
    return Reconstruction(skip, tuple(trimmed), fetches)


def v2_body(
    plan: Reconstruction, url_for: UrlFor, *, per_url: int = FETCHES_PER_URL
) -> dict[str, object]:
    """The answer of ``GET /v2/reconstructions/…``: one URL per xorb for all its fetches.

    A xorb of which more than ``per_url`` pieces are needed has several: a URL that names its bytes
    must stay short enough for every server on the way.
    """
    return _common(plan) | {
        "xorbs": {
            to_text(xorb): [
                {"url": url_for(xorb, some), "ranges": [_v2_range(one) for one in some]}
                for some in _batches(fetches, per_url)
            ]
            for xorb, fetches in plan.fetches.items()
        }
    }


def v1_body(plan: Reconstruction, url_for: UrlFor) -> dict[str, object]:
    """The answer of ``GET /v1/reconstructions/…``: one URL per fetch."""
    return _common(plan) | {
        "fetch_info": {
            to_text(xorb): [_v1_range(one, url_for(xorb, [one])) for one in fetches]
            for xorb, fetches in plan.fetches.items()
        }
    }


def _overlaps(terms: Sequence[Term], start: int, stop: int) -> Iterator[tuple[Term, int, int]]:
    """Each term that has bytes of the range, and which of its own bytes these are."""
    at = 0
    for term in terms:
        low, high = max(start - at, 0), min(stop - at, term.unpacked_bytes)
        if low < high:
            yield term, low, high
        at += term.unpacked_bytes


def _trim(term: Term, extent: Extent, low: int, high: int) -> tuple[Term, int]:
    """The least chunks of a term that have its bytes ``[low:high]``, and the bytes before them."""
    if low == 0 and high == term.unpacked_bytes:
        return term, 0
    ends = list(accumulate(extent.lens[term.start : term.end], initial=0))
    first = bisect_right(ends, low) - 1
    last = bisect_left(ends, high)
    piece = Term(
        term.xorb, term.start + first, term.start + last, unpacked_bytes=ends[last] - ends[first]
    )
    return piece, low - ends[first]


def _fetches(spans: Iterable[tuple[int, int]], extent: Extent) -> Iterator[Fetch]:
    for start, end in _merged(spans):
        first_byte, stop = extent.byte_range(start, end)
        yield Fetch(start, end, first_byte, stop - 1)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same chunks in as few spans as can be, in order: what overlaps or touches is one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _common(plan: Reconstruction) -> dict[str, object]:
    return {
        "offset_into_first_range": plan.skip,
        "terms": [
            {
                "hash": to_text(term.xorb),
                "unpacked_length": term.unpacked_bytes,
                "range": {"start": term.start, "end": term.end},
            }
            for term in plan.terms
        ],
    }


def _batches(fetches: Sequence[Fetch], size: int) -> Iterator[Sequence[Fetch]]:
    for at in range(0, len(fetches), size):
        yield fetches[at : at + size]


def _v2_range(fetch: Fetch) -> dict[str, object]:
    return {
        "chunks": {"start": fetch.start, "end": fetch.end},
        "bytes": {"start": fetch.first_byte, "end": fetch.last_byte},
    }


def _v1_range(fetch: Fetch, url: str) -> dict[str, object]:
    return {
        "range": {"start": fetch.start, "end": fetch.end},
        "url": url,
        "url_range": {"start": fetch.first_byte, "end": fetch.last_byte},
    }
