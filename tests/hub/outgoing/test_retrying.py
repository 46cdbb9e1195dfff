"""When a delivery is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hub.outgoing.retrying import DELAYS, MAX_ATTEMPTS, Next, after, asked_pause, rest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def follows(
    status: int | None, *, attempt: int = 1, retry_after: str = "", is_late: bool = False
) -> Next:
    return after(
        attempt=attempt,
        status=status,
        is_late=is_late,
        retry_after=retry_after,
        now=NOW,
        roll=0.5,
    )


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_status_from_200_to_299_is_a_success(status: int) -> None:
    assert follows(status) == Next(is_done=True)


@pytest.mark.parametrize("attempt", range(1, MAX_ATTEMPTS))
def test_waits_grow_by_the_table(attempt: int) -> None:
    assert follows(500, attempt=attempt).delay == DELAYS[attempt]


def test_waits_are_spread_by_a_fifth() -> None:
    rolls = [
        after(attempt=2, status=500, is_late=False, retry_after="", now=NOW, roll=roll).delay
        for roll in (0.0, 1.0)
    ]

    assert rolls == pytest.approx([240, 360])


def test_the_tenth_failure_is_the_last() -> None:
    assert follows(500, attempt=MAX_ATTEMPTS).delay is None
    assert sum(DELAYS) < timedelta(hours=77).total_seconds()


@pytest.mark.parametrize("status", [100, 301, 302, 400, 401, 404, 500, 599, None])
def test_every_other_answer_is_tried_again(status: int | None) -> None:
    assert follows(status).delay == 5


def test_gone_is_gone() -> None:
    assert follows(410) == Next(is_gone=True)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_the_overloaded_are_left_alone_for_a_minute(status: int) -> None:
    assert follows(status).delay == 60
    assert follows(None, is_late=True).delay == 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-1", 0),
        ("1e9", 0),
        ("999999999999999999999", 6 * 3600),
        ("NaN", 0),
        ("soon", 0),
        ("", 0),
        ("١٢", 0),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), 6 * 3600),
        ("Thu, 99 Foo 2026 99:99:99 GMT", 0),
        # Numbers that no machine word holds: whoever answers so must not end those who listen.
        ("Mon, 01 Jan 2024 00:00:00 +9999999999999999", 0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_and_bounded(text: str, seconds: float) -> None:
    assert asked_pause(text, NOW) == seconds
    assert follows(503, retry_after=text).pause == seconds
    assert follows(500, retry_after=text).pause == 0


def test_a_pause_that_was_asked_for_is_no_shorter_than_the_table() -> None:
    assert follows(503, attempt=2, retry_after="1").delay == DELAYS[2]
    assert follows(503, attempt=2, retry_after="900").delay == 900


def test_rests_double_up_to_an_hour() -> None:
    failures = (9, 10, 11, 12, 15, 16, 1000)

    assert [rest(number) for number in failures] == [0, 60, 120, 240, 1920, 3600, 3600]
