"""Fetching: a model's files are brought here once, however many wait for them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from inference.errors import StillFetching, WorkerFailed
from inference.runtimes.ports import ModelRef
from teams.errors import Refusal

log = structlog.get_logger(__name__)

Fetch = Callable[[ModelRef, str], object]
"""Brings a model's files here, with a token."""


@dataclass(eq=False)
class _Fetching:
    is_over: threading.Event = field(default_factory=threading.Event)
    problem: Refusal | None = None


class Fetches:
    """Goes on when those who asked have gone: the next one finds more of it done."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._running: dict[ModelRef, _Fetching] = {}
        self._lock = threading.Lock()

    def wait(self, ref: ModelRef, token: str, seconds: float) -> None:
        """Begin to fetch unless it is under way, and wait for its end.

        Raises:
            StillFetching: it takes longer than ``seconds``.
            Refusal: as the fetch.
        """
        with self._lock:
            one = self._running.get(ref)
            if one is None:
                one = self._running[ref] = _Fetching()
                threading.Thread(
                    target=self._run, args=(ref, token, one), name="fetch", daemon=True
                ).start()
        if not one.is_over.wait(max(0.0, seconds)):
            raise StillFetching
        if one.problem is not None:
            raise type(one.problem)(one.problem.message)

    def _run(self, ref: ModelRef, token: str, one: _Fetching) -> None:
        try:
            self._fetch(ref, token)
        except Refusal as refusal:
            one.problem = refusal
        except Exception:
            log.exception("fetch_failed", model=str(ref))
            one.problem = WorkerFailed("The model could not be fetched; the worker's log says why.")
        finally:
            with self._lock:
                self._running.pop(ref, None)
            one.is_over.set()
