"""What somebody else does at the same moment, in a connection of their own."""

import threading
import time
from collections.abc import Callable
from contextlib import closing

from django.db import connection

from hub.models import sql

PATIENCE_SECONDS = 60.0
_IN_LINE = "SELECT count(*) FROM pg_locks WHERE NOT granted"


class Aside:
    """Work in a thread and a connection of its own, which waits for no lock for ever."""

    def __init__(self, work: Callable[[], object], *, patience_ms: int) -> None:
        self.fault: Exception | None = None
        self.answer: object = None
        self._work, self._patience_ms = work, patience_ms
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with closing(connection):
            try:
                sql.run(f"SET lock_timeout = {self._patience_ms}")
                self.answer = self._work()
            except Exception as fault:  # noqa: BLE001 - it is told to the test
                self.fault = fault

    def until_it_waits(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self._thread.is_alive() and sql.rows(_IN_LINE) == [(0,)]:
            assert time.monotonic() < end, "It neither ends nor waits."

    def joined(self) -> object:
        self._thread.join()
        if self.fault is not None:
            raise self.fault
        return self.answer
