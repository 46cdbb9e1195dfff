from datetime import UTC, datetime, timedelta

import pytest

from hub.templatetags import hub_format


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (1_234, "1.23k"), (999_600, "1M"), (7_241_732_096, "7.24B")],
)
def test_compact_says_a_count_in_three_digits(number: int, said: str) -> None:
    assert hub_format.compact(number) == said


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (1_519, "1.52 kB"), (9_942_981_696, "9.94 GB")]
)
def test_filesize_counts_in_decimal_units(size: int, said: str) -> None:
    assert hub_format.filesize(size) == said


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=29), "29 days ago"),
    ],
)
def test_ago_says_the_largest_whole_unit(passed: timedelta, said: str) -> None:
    assert hub_format.ago(datetime.now(UTC) - passed) == said


def test_ago_says_the_date_of_what_is_long_past() -> None:
    assert hub_format.ago(datetime(2020, 3, 7, tzinfo=UTC)) == "7 Mar 2020"


def test_what_is_unknown_is_said_as_nothing() -> None:
    assert hub_format.filesize(None) == hub_format.compact(None) == hub_format.ago(None) == ""


def test_a_revision_is_cut_only_when_it_is_a_commit() -> None:
    assert hub_format.revision_label("4f1c9d2e8ab07f3355d1c0b9e6a7d8f901234567") == "4f1c9d2"
    assert hub_format.revision_label("feature/decade-of-facade") == "feature/decade-of-facade"


def test_the_body_of_a_message_is_what_follows_its_title() -> None:
    assert hub_format.message_body("Add weights\n\nIn bfloat16.\n") == "In bfloat16."
    assert hub_format.message_body("Add weights") == ""
