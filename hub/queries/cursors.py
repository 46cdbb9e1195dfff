"""Cursors: where a page ended, as opaque text that a link can carry.

A cursor says nothing that its reader did not see on the page, so it needs no signature; whoever
forges one gets another page of the same list.
"""

import base64
import binascii
import json
from datetime import datetime

from teams.errors import Invalid

Value = int | float | datetime

_BIGGEST = 2**63 - 1


def encode(sort: str, value: Value, last_id: int) -> str:
    """Write down the sort, the last row's value in it, and the last row's id."""
    plain = value.isoformat() if isinstance(value, datetime) else value
    packed = json.dumps([sort, plain, last_id], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(sort: str, cursor: str) -> tuple[Value, int]:
    """Read what :func:`encode` wrote for the same sort.

    Raises:
        Invalid: it is not one of ours, or belongs to another sort.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        of_sort, value, last_id = json.loads(base64.b64decode(padded, b"-_", validate=True))
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Invalid("The cursor is not one of ours.") from None
    if of_sort != sort or not _is_number(last_id) or not _is_value(parsed):
        raise Invalid("The cursor belongs to another list.")
    return parsed, last_id


def _is_value(value: object) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    return isinstance(value, float) or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _BIGGEST
