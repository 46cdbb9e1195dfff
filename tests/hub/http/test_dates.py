from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from huggingface_hub.utils._datetime import parse_datetime
from hypothesis import given
from hypothesis import strategies as st

from hub.http.dates import iso

ZONES = st.sampled_from([UTC, ZoneInfo("UTC"), timezone(timedelta(hours=5, minutes=30))])


@given(st.datetimes(min_value=datetime(1000, 1, 2), timezones=ZONES))  # noqa: DTZ001 - zones come beside it
def test_clients_read_back_the_millisecond(when: datetime) -> None:
    thousandths = when.microsecond // 1000 * 1000

    assert parse_datetime(iso(when)) == when.replace(microsecond=thousandths)


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("UTC")])
def test_a_date_ends_in_z(zone: ZoneInfo) -> None:
    assert iso(datetime(2026, 3, 1, 12, tzinfo=zone)) == "2026-03-01T12:00:00.000Z"
