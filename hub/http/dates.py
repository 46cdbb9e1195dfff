"""Dates as clients parse them: UTC, milliseconds, ``Z`` at the end (never ``+00:00``)."""

from datetime import UTC, datetime


def iso(when: datetime) -> str:
    """Write a moment, such as ``2026-03-01T12:00:00.000Z``."""
    moment = when.astimezone(UTC) if when.utcoffset() else when
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
