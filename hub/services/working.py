"""What a worker holds while it does a job: its lease, and how it tells how far it is."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connections

from hub.errors import FileWithheld
from hub.models import Job, sql
from hub.services import jobs
from hub.services.jobs import Outcome
from teams.errors import Refusal

log = structlog.get_logger(__name__)

BEAT_SECONDS = 10.0
_TELL_SECONDS = 0.5
_DELAYS = (5, 30, 300, 1800)

stopping = threading.Event()
"""Set when this process is to end: what runs is put back and begun elsewhere."""


class Interrupted(BaseException):
    """The job is not to go on here. It passes by handlers of errors, as ``KeyboardInterrupt``."""


class JobLost(Interrupted):
    """Its lease is over: it is another's, or gone with its repo."""


class JobCancelled(Interrupted):
    """Somebody asked for its end."""


class GaveWay(Interrupted):
    """This process is about to end."""


class JobFailed(Exception):
    """The work cannot be done, and will not be by trying again; the text says why, to people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class TryAgain(JobFailed):
    """Something was away that may come back."""


class Work:
    """One attempt at one job. Whatever it writes is void once its lease is lost."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.params: Mapping[str, Any] = job.params
        self._lost = self._cancelled = False
        self._told_at = float("-inf")

    def check(self) -> None:
        """Go on or stop; to be asked before each step that costs something.

        Raises:
            Interrupted: it is not to go on here.
        """
        if self._lost:
            raise JobLost
        if self._cancelled:
            raise JobCancelled
        if stopping.is_set():
            raise GaveWay

    def progress(self, done: int, total: int, step: str = "") -> None:
        """Tell how far it is, in units of its kind; written twice per second at most.

        Raises:
            Interrupted: as :meth:`check`.
        """
        now = time.monotonic()
        if now - self._told_at >= _TELL_SECONDS or done == total:
            self._told_at = now
            self._note(sql.row(_PROGRESS, [done, total, step[:200], *self._fence]))
        self.check()

    def tell(self, type_: str, **payload: Any) -> None:
        """Add a line to the job's story.

        Raises:
            Interrupted: as :meth:`check`.
        """
        values = [type_, json.dumps(payload), *self._fence]
        self._lost |= not sql.run(_TELL, values)
        self.check()

    def log(self, line: str) -> None:
        """Add a line to what people read as its log."""
        self.tell("log", line=line[:4000])

    def renew(self) -> None:
        """Keep the lease, and hear whether it is to end."""
        self._note(sql.row(_RENEW, [jobs.LEASE_SECONDS, *self._fence]))

    @property
    def _fence(self) -> tuple[int, int]:
        return self.job.pk, self.job.attempt

    def _note(self, row: tuple[Any, ...] | None) -> None:
        self._lost |= row is None
        self._cancelled |= row is not None and bool(row[0])


_MINE = "WHERE id = %s AND attempt = %s AND state = 'running'"
_PROGRESS = f"""
UPDATE hub_job SET done = %s, total = %s, step = %s {_MINE} RETURNING cancel_asked_at IS NOT NULL
"""
_RENEW = f"""
UPDATE hub_job SET due = clock_timestamp() + make_interval(secs => %s) {_MINE}
RETURNING cancel_asked_at IS NOT NULL
"""
_TELL = f"""
INSERT INTO hub_jobevent (job_id, type, payload, attempt)
SELECT id, %s, %s::jsonb, attempt FROM hub_job {_MINE}
"""


def work_off(queue: str) -> bool:
    """Do the next job of ``queue``, whatever comes of it; False if nothing was due."""
    job = jobs.claim(queue)
    if job is None:
        return False
    with structlog.contextvars.bound_contextvars(job=job.public_id, kind=job.kind):
        _attempt(job)
    return True


def _attempt(job: Job) -> None:
    kind = jobs.kind_of(job)
    if job.cancel_asked_at is not None:
        jobs.settle(job, Outcome(Job.State.CANCELLED, code="cancelled"))
        return
    if job.failures >= kind.most_failures:
        message = job.error or "The worker died in the middle of it, each time it was tried."
        code = job.error_code or "worker_lost"
        jobs.settle(job, Outcome(Job.State.FAILED, code=code, message=message))
        return
    work = Work(job)
    try:
        with _kept(work):
            outputs = kind.run(work)
    except Interrupted as how:
        _stop(job, how)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the job has to end with it
        _fail(job, kind, problem)
    else:
        jobs.settle(job, Outcome(Job.State.SUCCEEDED, outputs))


def _stop(job: Job, how: Interrupted) -> None:
    log.info("job_stopped", how=type(how).__name__)
    if isinstance(how, JobCancelled):
        jobs.settle(job, Outcome(Job.State.CANCELLED, code="cancelled"))
    elif isinstance(how, GaveWay):
        jobs.put_back(job, counts=False)


def _fail(job: Job, kind: jobs.Kind, problem: Exception) -> None:
    code, message = _cause(problem)
    is_passing = isinstance(problem, _PASSING)
    if is_passing and job.failures + 1 < kind.most_failures:
        delay = timedelta(seconds=_DELAYS[min(job.failures, len(_DELAYS) - 1)])
        log.warning("job_is_tried_again", code=code, reason=str(problem), seconds=delay.seconds)
        jobs.put_back(job, code=code, reason=message, after=delay, counts=True)
        return
    if code == "internal_error":
        log.error("job_failed", exc_info=problem)
    else:
        log.info("job_failed", code=code, reason=message)
    jobs.settle(job, Outcome(Job.State.FAILED, code=code, message=message))


# What scanners have not looked at yet they let out later.
_PASSING = (TryAgain, DatabaseError, OSError, FileWithheld)


def _cause(problem: Exception) -> tuple[str, str]:
    if isinstance(problem, JobFailed):
        return problem.code, problem.message
    if isinstance(problem, Refusal):
        return "refused", str(problem)
    return "internal_error", "The hub made a mistake; its log says which."


@contextmanager
def _kept(work: Work) -> Iterator[None]:
    """Renew the lease from a thread of its own for as long as the block runs."""
    is_over = threading.Event()
    keeper = threading.Thread(target=_keep, args=[work, is_over], daemon=True)
    keeper.start()
    try:
        yield
    finally:
        is_over.set()
        keeper.join()


def _keep(work: Work, is_over: threading.Event) -> None:
    while not is_over.wait(BEAT_SECONDS):
        try:
            work.renew()
        except DatabaseError as problem:
            # The lease is longer than three beats: a database that comes back in time is no loss.
            log.warning("lease_not_renewed", reason=str(problem))
        finally:
            connections.close_all()
