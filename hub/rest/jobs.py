"""REST: jobs, their stories, and their end."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import Job, JobEvent
from hub.queries.jobs import MOST_EVENTS, events_of, job_of, jobs_of
from hub.rest.of_repo import OfRepoRest, name_of
from hub.services import jobs
from teams.errors import Invalid
from teams.http.pagination import limit_of
from teams.http.rest import RestView, described
from teams.names import number_in
from teams.roles import Action

PAGE = 30
MOST = 100
STATES = [state.value for state in Job.State]
NO_JOB = OpenApiResponse(description="No such job, or not one of yours.")
FILTERS = [
    OpenApiParameter("state", str, enum=STATES),
    OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
]


class OneJob(serializers.Serializer[Job]):
    """A piece of work, and how far it is."""

    id = serializers.CharField(source="public_id")
    kind = serializers.CharField()
    repo = serializers.SerializerMethodField(help_text="What it works on, null if it is no repo.")
    asked_by = serializers.SerializerMethodField(help_text="Null is the hub itself.")
    state = serializers.ChoiceField(choices=STATES)
    params = serializers.JSONField()
    outputs = serializers.JSONField()
    step = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField(help_text="0 is not known.")
    failures = serializers.IntegerField(help_text="Attempts that came to nothing.")
    error_code = serializers.CharField()
    error = serializers.CharField()
    cancel_asked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_repo(self, job: Job) -> dict[str, str] | None:
        return {"type": job.repo.kind, "name": job.repo.full_name} if job.repo else None

    def get_asked_by(self, job: Job) -> str | None:
        return name_of(job.by)


class JobPage(serializers.Serializer[dict[str, Any]]):
    """Newest first."""

    next_cursor = serializers.CharField(allow_null=True)
    results = OneJob(many=True)


class OneEvent(serializers.Serializer[JobEvent]):
    """A line of a job's story."""

    id = serializers.IntegerField(source="pk")
    type = serializers.CharField()
    payload = serializers.JSONField()
    created_at = serializers.DateTimeField()


class Story(serializers.Serializer[dict[str, Any]]):
    """What was told of a job, in order."""

    results = OneEvent(many=True)


class Jobs(RestView):
    """GET /api/v1/jobs."""

    authz = {"get": Action.SIGN_IN}

    @described(
        operation_id="list_jobs",
        summary="The jobs that you asked for",
        parameters=FILTERS,
        responses={200: JobPage},
    )
    def get(self, request: Request) -> Response:
        page = jobs_of(
            self.principal,
            state=_state(request),
            cursor=request.query_params.get("cursor", ""),
            limit=limit_of(self.http_request, default=PAGE, most=MOST),
        )
        return Response(
            JobPage({"next_cursor": page.next_cursor or None, "results": page.jobs}).data
        )


class JobsOfRepo(OfRepoRest):
    """GET /api/v1/repos/{kind}s/{name}/jobs."""

    authz = {"get": Action.REPO_WRITE}

    @described(
        operation_id="list_jobs_of_repo",
        summary="The jobs that work on a repo",
        parameters=FILTERS,
        responses={200: JobPage},
    )
    def get(self, request: Request, **_: object) -> Response:
        page = jobs_of(
            self.principal,
            repo=self.repo,
            state=_state(request),
            cursor=request.query_params.get("cursor", ""),
            limit=limit_of(self.http_request, default=PAGE, most=MOST),
        )
        return Response(
            JobPage({"next_cursor": page.next_cursor or None, "results": page.jobs}).data
        )


class SomeJob(RestView):
    """GET /api/v1/jobs/{id}."""

    authz = {"get": Action.SIGN_IN}

    @described(operation_id="get_job", summary="One job", responses={200: OneJob, 404: NO_JOB})
    def get(self, _request: Request, job: str) -> Response:
        return Response(OneJob(job_of(self.principal, job)).data)


class EventsOfJob(RestView):
    """GET /api/v1/jobs/{id}/events."""

    authz = {"get": Action.SIGN_IN}

    @described(
        operation_id="list_job_events",
        summary="What was told of a job",
        parameters=[
            OpenApiParameter("after", int, description="Only what came after the event of this id"),
            OpenApiParameter("limit", int, description=f"At most {MOST_EVENTS}"),
        ],
        responses={200: Story, 404: NO_JOB},
    )
    def get(self, request: Request, job: str) -> Response:
        found = events_of(
            job_of(self.principal, job),
            after=number_in(request.query_params.get("after", "0"), "after"),
            limit=limit_of(self.http_request, default=MOST_EVENTS, most=MOST_EVENTS),
        )
        return Response(Story({"results": found}).data)


class CancelJob(RestView):
    """POST /api/v1/jobs/{id}/cancel."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="cancel_job",
        summary="End a job",
        description="One that runs ends at its next step. Of one that is over nothing changes.",
        request=None,
        responses={202: OneJob, 404: NO_JOB},
    )
    def post(self, _request: Request, job: str) -> Response:
        jobs.cancel(job_of(self.principal, job), by=self.principal)
        return Response(OneJob(job_of(self.principal, job)).data, status=202)


def _state(request: Request) -> str:
    state: str = request.query_params.get("state", "")
    if state and state not in STATES:
        raise Invalid(f"state must be one of {', '.join(STATES)}.")
    return state
