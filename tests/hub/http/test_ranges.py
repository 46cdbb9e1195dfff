import pytest

from hub.http.ranges import Span, parse_ranges
from teams.errors import Unsatisfiable


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-99", [(0, 100)]),
        ("bytes=10-", [(10, 1000)]),
        ("bytes=-10", [(990, 1000)]),
        ("bytes=-5000", [(0, 1000)]),
        ("bytes=900-5000", [(900, 1000)]),
        ("bytes=0-0, 5-6,-1", [(0, 1), (5, 7), (999, 1000)]),
        ("bytes=5-6,2000-", [(5, 7)]),
    ],
)
def test_a_range_is_cut_at_the_end_of_the_file(header: str, spans: list[Span]) -> None:
    assert parse_ranges(header, 1000) == spans


@pytest.mark.parametrize(
    "header", ["", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "lines=1-2", "bytes=٣-"]
)
def test_a_header_that_makes_no_sense_is_ignored(header: str) -> None:
    assert parse_ranges(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=2000-3000", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_ranges(header, 1000)
