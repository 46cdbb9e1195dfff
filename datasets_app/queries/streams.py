"""Streams over the rows of a split: how many run, and which rows fit their filter."""

from collections import Counter
from collections.abc import Sequence
from threading import Lock

from datasets_app.errors import TooManyQueries
from datasets_app.queries.rows import Found
from datasets_app.serving.order import Plan
from datasets_app.serving.pool import pool
from datasets_app.serving.rows import Run
from datasets_app.serving.stream import Match, Size, Stream

PER_CALLER = 8
AT_ONCE = 24
"""Of one process: each has a thread for as long as it lasts."""

_running: Counter[str] = Counter()
_lock = Lock()


def stream_of(found: Found, plan: Plan, size: Size) -> Stream:
    """The stream of a plan."""
    return Stream(found.rows, plan, _matcher(found, plan.where) if plan.where else None, size)


class Turn:
    """Leave to run one more stream; it ends once, however often it is told to."""

    def __init__(self, caller: str) -> None:
        self._caller = caller
        self._is_over = False
        with _lock:
            if _running[caller] >= PER_CALLER or _running.total() >= AT_ONCE:
                raise TooManyQueries("Too many streams are running. Try again in a moment.")
            _running[caller] += 1

    def end(self) -> None:
        with _lock:
            if not self._is_over:
                self._is_over = True
                _running[self._caller] -= 1
                if not _running[self._caller]:
                    del _running[self._caller]


def _matcher(found: Found, where: str) -> Match:
    tables = found.tables()

    def match(runs: Sequence[Run]) -> bytes:
        question = {
            "ask": "match",
            "tables": tables,
            "columns": found.columns,
            "where": where,
            "groups": [found.rows.place(run.block.ordinal) for run in runs],
        }
        answer = pool.ask(question)
        masks, at = [], 0
        for run, rows in zip(runs, answer.head["rows"], strict=True):
            masks.append(answer.body[at + run.start : at + run.stop])
            at += rows
        return b"".join(masks)

    return match
