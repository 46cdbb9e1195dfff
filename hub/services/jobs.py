"""The one machine for work that takes long: request, claim, settle, cancel.

A job is a row, written in the transaction that wants the work. A worker claims it by a conditional
update and keeps it by a lease; whoever dies with a job in hand loses it when the lease ends, and
another begins anew. So work happens at least once, and what it writes must bear that.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.events import JobFinished, JobRequested
from hub.models import Job, Repo, sql
from hub.policies import check_can_cancel
from hub.services import outbox
from hub.services.doorbell import ring, unheard
from teams.policies import Principal

if TYPE_CHECKING:
    from hub.services.working import Work

TASK = "hub.tasks.jobs.work"
LEASE_SECONDS = 45
KEEP = timedelta(days=90)
_FORGET_AT_ONCE = 1000
_BELLS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a job of one kind is, and how it is done."""

    name: str
    run: "Callable[[Work], Mapping[str, Any] | None]"
    """Does the work and answers its outputs, as JSON."""
    queue: str = "cpu"
    """``cpu`` for what takes seconds, ``heavy`` for what takes minutes."""
    most_failures: int = 3
    """So many attempts may be lost with their worker, or ask to be tried again."""
    is_told: bool = False
    """Whether webhooks hear of it."""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known; apps do so when they start.

    Raises:
        ValueError: another has its name.
    """
    if _kinds.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"There is a kind of job called {kind.name} already.")


def kind_of(job: Job) -> Kind:
    return _kinds[job.kind]


def known_kinds() -> list[str]:
    return sorted(_kinds)


# One that waits for the same does as well, with what is wanted of it now.
_REQUEST = """
INSERT INTO hub_job (kind, key, repo_id, by_id, queue, priority, params, outputs, state, attempt,
    failures, due, step, done, total, error_code, error)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, '{}', 'queued', 0, 0,
    statement_timestamp() + %s, '', 0, 0, '', '')
ON CONFLICT (kind, key) WHERE state = 'queued' AND NOT (key = '')
DO UPDATE SET params = excluded.params, due = least(hub_job.due, excluded.due),
    priority = least(hub_job.priority, excluded.priority)
RETURNING id, (xmax = 0) AS is_new
"""


def request(  # noqa: PLR0913 - each is one fact of the job
    kind: str,
    *,
    params: Mapping[str, Any],
    repo: Repo | None = None,
    by: Principal | None = None,
    key: str = "",
    priority: int = 5,
    after: timedelta = timedelta(),
) -> int:
    """Ask for work within the caller's transaction; answer the job's id.

    With a ``key`` that a queued job of the kind has already it is that job, with these ``params``.
    """
    known = _kinds[kind]
    user = by.user if by else None
    [(job_id, is_new)] = sql.rows(
        _REQUEST,
        [
            kind,
            key,
            repo.pk if repo else None,
            user.pk if user else None,
            known.queue,
            priority,
            json.dumps(params),
            after,
        ],
    )
    if is_new and known.is_told and repo is not None:
        outbox.announce(repo.pk, JobRequested(job_id, kind, "queued"), by=user)
    transaction.on_commit(lambda: ring(TASK, known.queue, queue=known.queue))
    return int(job_id)


# The best that is due: one that waits, or one whose worker is gone. Of a key one runs at a time.
_CLAIM = """
UPDATE hub_job SET state = 'running', attempt = attempt + 1,
    failures = failures + CASE state WHEN 'running' THEN 1 ELSE 0 END,
    due = clock_timestamp() + make_interval(secs => %(lease)s),
    started_at = coalesce(started_at, clock_timestamp())
WHERE id = (
    SELECT j.id FROM hub_job j
    WHERE j.queue = %(queue)s AND j.state IN ('queued', 'running') AND j.kind = ANY(%(kinds)s)
        AND j.due <= statement_timestamp()
        AND (j.key = '' OR NOT EXISTS (
            SELECT FROM hub_job r WHERE r.kind = j.kind AND r.key = j.key
                AND r.state = 'running' AND r.id <> j.id))
    ORDER BY j.priority, j.id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


def claim(queue: str) -> Job | None:
    """Take the next job of ``queue``, or None if nothing is due.

    Kinds that this process does not know are left to others.
    """
    values = {"lease": LEASE_SECONDS, "queue": queue, "kinds": list(_kinds)}
    row = sql.row(_CLAIM, values)
    if row is None:
        return None
    return Job.objects.select_related("repo__namespace", "by").get(pk=row[0])


_WAITING = """
SELECT count(*) FROM (
    SELECT FROM hub_job WHERE queue = %s AND state IN ('queued', 'running')
    AND due <= statement_timestamp() LIMIT %s
) waiting
"""


def sweep() -> None:
    """Ring for what waits though nobody was woken, and forget what was over long ago."""
    for queue in {kind.queue for kind in _kinds.values()}:
        row = sql.row(_WAITING, [queue, _BELLS])
        # Of a queue that no worker serves the bells would pile up.
        for _ in range(row[0] - unheard(queue) if row and row[0] else 0):
            ring(TASK, queue, queue=queue)
    past = Job.objects.filter(finished_at__lt=timezone.now() - KEEP).order_by("finished_at")
    Job.objects.filter(pk__in=list(past.values_list("pk", flat=True)[:_FORGET_AT_ONCE])).delete()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended."""

    state: Job.State
    outputs: Mapping[str, Any] | None = None
    code: str = ""
    message: str = ""


_SETTLE = """
UPDATE hub_job SET state = %s, outputs = %s::jsonb, error_code = %s, error = %s,
    finished_at = clock_timestamp(), done = CASE %s WHEN 'succeeded' THEN total ELSE done END
WHERE id = %s AND attempt = %s AND state = 'running'
"""


@transaction.atomic
def settle(job: Job, outcome: Outcome) -> bool:
    """Write how a job ended; False if it is no longer the caller's to end."""
    state, outputs = outcome.state, json.dumps(outcome.outputs or {})
    told = (outcome.code[:64], outcome.message[:2000])
    values = (state, outputs, *told, state, job.pk, job.attempt)
    if not sql.run(_SETTLE, values):
        return False
    _tell_end(job, outcome.state)
    return True


_PUT_BACK = """
UPDATE hub_job SET state = 'queued', failures = failures + %s,
    due = clock_timestamp() + %s, error_code = %s, error = %s
WHERE id = %s AND attempt = %s AND state = 'running' AND cancel_asked_at IS NULL
"""


def put_back(
    job: Job, *, code: str = "", reason: str = "", after: timedelta = timedelta(), counts: bool
) -> None:
    """Let a job wait again; ``counts`` says whether the attempt is one of those that it has.

    If another of its key waits already, that one is enough.
    """
    values = [int(counts), after, code[:64], reason[:2000], job.pk, job.attempt]
    try:
        with transaction.atomic():
            is_back = sql.run(_PUT_BACK, values)
    except IntegrityError:
        is_back = 0
    if not is_back:
        settle(job, Outcome(Job.State.CANCELLED, code="cancelled"))
    elif not after:
        ring(TASK, job.queue, queue=job.queue)


@transaction.atomic
def cancel(job: Job, *, by: Principal) -> None:
    """End a job that waits, and ask the worker of one that runs to end it. Twice does no harm.

    Raises:
        Refusal: as :func:`hub.policies.check_can_cancel`.
    """
    check_can_cancel(by, job)
    # Else one that its worker puts back just now would be seen neither waiting nor running.
    Job.objects.select_for_update(no_key=True).filter(pk=job.pk).first()
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    if waiting.update(state=Job.State.CANCELLED, finished_at=now, error_code="cancelled"):
        _tell_end(job, Job.State.CANCELLED)
        return
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, cancel_asked_at=None)
    running.update(cancel_asked_at=now)


def _tell_end(job: Job, state: str) -> None:
    if job.repo_id is not None and job.kind in _kinds and kind_of(job).is_told:
        outbox.announce(job.repo_id, JobFinished(job.pk, job.kind, state), by=job.by)
