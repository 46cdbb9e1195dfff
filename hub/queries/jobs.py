"""Jobs, and what is told of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from hub.errors import JobNotFound
from hub.models import Job, JobEvent, Repo
from hub.policies import check_can_see_job, visible_to
from hub.queries import cursors
from teams.names import number_in_id
from teams.policies import Principal

_SORT = "jobs"
MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first, and the cursor of what comes after."""

    jobs: Sequence[Job]
    next_cursor: str = ""


def job_of(reader: Principal, text: str) -> Job:
    """Find the job that ``text`` is the id of.

    Raises:
        JobNotFound: there is none, or it is not theirs to know of.
    """
    found = Job.objects.select_related("repo__namespace", "by__namespace")
    job = found.filter(pk=number_in_id(text)).first()
    if job is None:
        raise JobNotFound
    check_can_see_job(reader, job)
    return job


def jobs_of(
    reader: Principal, *, repo: Repo | None = None, state: str = "", cursor: str, limit: int
) -> JobPage:
    """Those that ``reader`` asked for, or those of ``repo``, which the caller checked.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    found = Job.objects.select_related("repo__namespace", "by__namespace")
    found = found.filter(repo=repo) if repo is not None else found.filter(_own(reader))
    if state:
        found = found.filter(state=state)
    if cursor:
        _, last_id = cursors.decode(_SORT, cursor)
        found = found.filter(pk__lt=last_id)
    rows = list(found.order_by("-pk")[: limit + 1])
    page = rows[:limit]
    more = len(rows) > limit
    return JobPage(page, cursors.encode(_SORT, 0, page[-1].pk) if more else "")


def _own(reader: Principal) -> Q:
    seen = Q(repo__in=Repo.objects.filter(visible_to(reader)))
    return Q(by=reader.user) & (seen if reader.is_narrowed else seen | Q(repo=None))


def events_of(job: Job, *, after: int = 0, limit: int = MOST_EVENTS) -> list[JobEvent]:
    """What was told of a job after event ``after``, in order."""
    return list(job.events.filter(pk__gt=after).order_by("pk")[:limit])


def last_lines(job: Job, *, most: int) -> list[str]:
    """The end of a job's log."""
    found = job.events.filter(type="log").order_by("-pk").values_list("payload", flat=True)
    return [str(payload.get("line", "")) for payload in reversed(found[:most])]
