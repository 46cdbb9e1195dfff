"""Batching: calls that came while the device was busy, and fit together, run as one.

One thread runs models, since a device does one thing at a time. Nothing waits for company: while a
batch runs, the next one gathers by itself, and alone on an idle device a call begins at once.
"""

import threading
import time
from collections.abc import Hashable, Sequence

import structlog

from inference.errors import OutOfMemory, TooLate, WorkerFailed
from inference.runtimes.ports import Answer, ModelRef, Runtime
from inference.serving.cache import ModelCache
from inference.serving.tickets import Abandoned, Ticket
from teams.errors import Refusal

log = structlog.get_logger(__name__)

MOST_WAITING = 1024
_NO_MEMORY = OutOfMemory()


class Batcher:
    """Runs tickets on the models of a cache. ``start`` it; ``stop`` fails what still waits."""

    def __init__(self, cache: ModelCache, *, most_waiting: int = MOST_WAITING) -> None:
        self._cache = cache
        self._most = most_waiting
        self._waiting: list[Ticket] = []
        self._news = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="models", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._news:
            self._stopping = True
            self._news.notify_all()
        self._thread.join()

    def submit(self, ticket: Ticket) -> Ticket:
        """Put a ticket in the queue.

        Raises:
            TooLate: too many wait already.
            WorkerFailed: the process is about to end.
        """
        with self._news:
            if self._stopping:
                raise WorkerFailed
            if len(self._waiting) >= self._most:
                raise TooLate("Too many wait for a model already. Try again in a moment.")
            self._waiting.append(ticket)
            self._news.notify_all()
        return ticket

    def waiting(self) -> int:
        return len(self._waiting)

    def _serve(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._stopping:
                    self._news.wait()
                if self._stopping:
                    for ticket in self._waiting:
                        ticket.fail(WorkerFailed())
                    return
                self._drop_late()
                if not self._waiting:
                    continue
                ref = min(self._waiting, key=lambda one: one.priority).ref
            self._serve_model(ref)

    def _serve_model(self, ref: ModelRef) -> None:
        try:
            with self._cache.hold(ref) as runtime:
                self._run(runtime, self._take(ref, runtime))
        except Refusal as refusal:
            self._fail(ref, refusal)
        except Exception:
            log.exception("model_failed", model=str(ref))
            self._fail(ref, WorkerFailed("The model failed; the worker's log says why."))

    def _fail(self, ref: ModelRef, problem: Refusal) -> None:
        """All that wait for a model that cannot be loaded hear so."""
        with self._news:
            failed = [ticket for ticket in self._waiting if ticket.ref == ref]
            self._waiting = [ticket for ticket in self._waiting if ticket.ref != ref]
        for ticket in failed:
            ticket.fail(problem)

    def _take(self, ref: ModelRef, runtime: Runtime) -> list[Ticket]:
        """The first that waits for the model, and all that may be one batch with it."""
        with self._news:
            self._drop_late()
            mine = sorted(
                (ticket for ticket in self._waiting if ticket.ref == ref),
                key=lambda ticket: ticket.priority,
            )
            if not mine:
                return []
            key = _key(runtime, mine[0])
            taken = [ticket for ticket in mine if _key(runtime, ticket) == key][: runtime.most]
            gone = {id(ticket) for ticket in taken}
            self._waiting = [ticket for ticket in self._waiting if id(ticket) not in gone]
        return taken

    def _drop_late(self) -> None:
        now = time.monotonic()
        late = [one for one in self._waiting if one.is_given_up or one.deadline <= now]
        for ticket in late:
            self._waiting.remove(ticket)
            ticket.fail(Abandoned() if ticket.is_given_up else TooLate())

    def _run(self, runtime: Runtime, tickets: list[Ticket]) -> None:
        if not tickets:
            return
        problem = self._attempt(runtime, tickets)
        # Only here, for by now the frames that failed are gone, with all that they held.
        if problem is _NO_MEMORY:
            self._run_smaller(runtime, tickets)
        elif problem is not None:
            self._run_apart(runtime, tickets, problem)

    def _attempt(self, runtime: Runtime, tickets: list[Ticket]) -> Refusal | None:
        """Run them all at once; answer what is to be done about it, if something is."""
        try:
            answers = runtime.run([ticket.call for ticket in tickets], _step(tickets))
        except MemoryError:
            return _NO_MEMORY
        except Abandoned as problem:
            _all_fail(tickets, problem)
        except Refusal as refusal:
            return refusal.with_traceback(None)
        except Exception:
            log.exception("model_failed", model=str(tickets[0].ref))
            _all_fail(tickets, WorkerFailed("The model failed; the worker's log says why."))
        else:
            _all_answer(tickets, answers)
        return None

    def _run_smaller(self, runtime: Runtime, tickets: list[Ticket]) -> None:
        """Without memory for all of them: half at a time, then without the other models."""
        half = len(tickets) // 2
        log.warning("out_of_memory", model=str(tickets[0].ref), batch=len(tickets))
        if half:
            self._run(runtime, tickets[:half])
            self._run(runtime, tickets[half:])
        elif self._cache.make_room():
            self._run(runtime, tickets)
        else:
            _all_fail(tickets, OutOfMemory())

    def _run_apart(self, runtime: Runtime, tickets: list[Ticket], refusal: Refusal) -> None:
        """One of a batch was refused: the others must not suffer for it."""
        if len(tickets) == 1:
            _all_fail(tickets, refusal)
            return
        for ticket in tickets:
            self._run(runtime, [ticket])


def _key(runtime: Runtime, ticket: Ticket) -> Hashable:
    return ticket.priority, runtime.batch_key(ticket.call)


def _step(tickets: Sequence[Ticket]) -> "_Step":
    return _Step(tickets)


class _Step:
    """Tells all tickets of a batch how far it is; ends it when nobody waits any more."""

    def __init__(self, tickets: Sequence[Ticket]) -> None:
        self._tickets = tickets

    def __call__(self, done: int, total: int) -> None:
        for ticket in self._tickets:
            ticket.done, ticket.total = done, total
        if all(ticket.is_given_up for ticket in self._tickets):
            raise Abandoned


def _all_fail(tickets: Sequence[Ticket], problem: BaseException) -> None:
    for ticket in tickets:
        ticket.fail(problem)


def _all_answer(tickets: Sequence[Ticket], answers: Sequence[Answer]) -> None:
    for ticket, answer in zip(tickets, answers, strict=True):
        ticket.answer(answer)
