"""Count requests of a window in one place for all processes, and forget old windows.

Processes count by themselves and bring what they counted in lots, so a request rarely writes. The
table is unlogged: after a crash the database has forgotten it, and everybody begins anew.
"""

from teams.models import sql

WINDOW_SECONDS = 300

_ADD = """
INSERT INTO teams_rate (bearer, span, requests) VALUES (%s, %s, %s)
ON CONFLICT (bearer, span) DO UPDATE SET requests = teams_rate.requests + excluded.requests
RETURNING requests
"""


def add(bearer: str, span: int, requests: int) -> int:
    """Bring what this process counted for ``bearer``; answer what all of them did."""
    row = sql.row(_ADD, [bearer, span, requests])
    return int(row[0]) if row else requests


def span_of(moment: float) -> int:
    """Answer the number of the window that a moment, in seconds, lies in."""
    return int(moment) // WINDOW_SECONDS


def forget(*, now: float) -> int:
    """Drop all windows that are over; answer how many rows that were."""
    return sql.run("DELETE FROM teams_rate WHERE span < %s", [span_of(now)])
