"""Which files somebody has in hand to scan them: claimed for a while, and begun one by one.

Only a file that was begun counts as tried: those that wait in the same hand for their turn are no
less innocent because their worker died of another, and go to the next one as they are.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.models import sql

AT_A_TIME = 16
LEASE = timedelta(minutes=10)
"""Longer than looking at one file may take; it is begun anew with each."""


class Claim(NamedTuple):
    """A row that is ours until then."""

    id: int
    repo_id: int
    key: bytes
    until: datetime


_CLAIM = """
WITH free AS MATERIALIZED (SELECT id FROM hub_scan WHERE state = 'queued'
    AND (claimed_until IS NULL OR claimed_until < now())
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE hub_scan s SET claimed_until = now() + %s::interval FROM free WHERE s.id = free.id
RETURNING s.id, s.repo_id, s.key, s.claimed_until
"""


def claim() -> list[Claim]:
    """Take some that wait, the oldest first, and that nobody else has in hand."""
    return sorted(Claim(*row) for row in sql.rows(_CLAIM, [AT_A_TIME, LEASE]))


_OURS = "id = %s AND state = 'queued' AND claimed_until = %s"
_KEEP = f"""
UPDATE hub_scan SET claimed_until = clock_timestamp() + %s::interval, attempts = attempts + %s
WHERE {_OURS} RETURNING id, repo_id, key, claimed_until, attempts
"""


def begin(one: Claim) -> tuple[Claim, int] | None:
    """Claim it anew for as long as looking at it may take; answer which attempt that is.

    None: it is another's by now, or settled.
    """
    row = sql.row(_KEEP, [LEASE, 1, one.id, one.until])
    return None if row is None else (Claim(*row[:4]), int(row[4]))


def not_begun(one: Claim) -> None:
    """Take back that it was begun: what was missing is not its fault."""
    sql.run(f"UPDATE hub_scan SET attempts = attempts - 1 WHERE {_OURS}", [one.id, one.until])


def let_go(claims: Iterable[Claim]) -> None:
    """Leave those that were not begun to others."""
    for one in claims:
        sql.run(f"UPDATE hub_scan SET claimed_until = NULL WHERE {_OURS}", [one.id, one.until])
