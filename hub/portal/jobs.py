"""HTML: the jobs that somebody asked for, and one of them as it goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.http import links
from hub.models import Job
from hub.portal.lists import page_or_part
from hub.portal.repo_page import Tab
from hub.queries.jobs import job_of, jobs_of, last_lines
from hub.services import jobs
from teams.http.views import PortalView
from teams.roles import Action

A_PAGE = 30
LOG_LINES = 200
_TABS = (("All", ""), ("Waiting", "queued"), ("Running", "running"), ("Failed", "failed"))
_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownJob:
    """A job in words."""

    id: str
    title: str
    state: str
    step: str
    percent: int | None
    error: str
    repo: str
    repo_url: str
    asked_by: str
    took: timedelta | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    is_over: bool
    is_ending: bool
    outputs: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, job: Job) -> "ShownJob":
        is_known = job.total > 0 and not job.is_over
        took = job.finished_at - job.started_at if job.finished_at and job.started_at else None
        return cls(
            id=job.public_id,
            title=job.kind.replace("_", " ").replace(".", ": ").capitalize(),
            state=job.state,
            step=job.step,
            percent=min(_PERCENT, _PERCENT * job.done // job.total) if is_known else None,
            error=job.error if job.state == Job.State.FAILED or not job.is_over else "",
            repo=job.repo.full_name if job.repo else "",
            repo_url=job.repo.url if job.repo else "",
            asked_by=job.by.name if job.by else "the hub",
            took=timedelta(seconds=round(took.total_seconds())) if took is not None else None,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            is_over=job.is_over,
            is_ending=not job.is_over and job.cancel_asked_at is not None,
            outputs=[(name, str(value)) for name, value in job.outputs.items()],
        )


class Jobs(PortalView):
    """GET /jobs?state=."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest) -> HttpResponse:
        state = request.GET.get("state", "")
        page = jobs_of(
            self.principal, state=state, cursor=request.GET.get("cursor", ""), limit=A_PAGE
        )
        following = {"state": state, "cursor": page.next_cursor}
        context = {
            "jobs": [ShownJob.of(job) for job in page.jobs],
            "tabs": [
                Tab(label, links.with_query("/jobs", {"state": value}), value == state)
                for label, value in _TABS
            ],
            "next_url": links.with_query("/jobs", following) if page.next_cursor else "",
        }
        return render(request, "hub/jobs.html", context)


class OneJob(PortalView):
    """GET /jobs/{id}, POST (cancel). While it goes on its part of the page asks for itself."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, job: str) -> HttpResponse:
        found = job_of(self.principal, job)
        context = {"job": ShownJob.of(found), "log": "\n".join(last_lines(found, most=LOG_LINES))}
        return page_or_part(request, "hub/job.html", "state", context)

    def post(self, _request: HttpRequest, job: str) -> HttpResponse:
        found = job_of(self.principal, job)
        jobs.cancel(found, by=self.principal)
        return redirect(f"/jobs/{found.public_id}")
