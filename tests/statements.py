"""How many SQL statements something costs: those of the ORM and those written by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest


class Statements:
    """Counts what goes over psycopg, below Django: its own counter misses hand-written SQL."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        execute = psycopg.Cursor.execute

        def counting(cursor: Any, *args: Any, **kwargs: Any) -> Any:
            self.number += 1
            return execute(cursor, *args, **kwargs)

        monkeypatch.setattr(psycopg.Cursor, "execute", counting)

    @contextmanager
    def counted(self) -> Iterator[Callable[[], int]]:
        before = self.number
        yield lambda: self.number - before
