"""REST: what CI systems report about commits."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import CommitStatus
from hub.models.protection import MAX_CONTEXT
from hub.queries.protection import combined, statuses_of
from hub.rest.of_repo import OfRepoRest, name_of, sent
from hub.services import statuses
from hub.services.statuses import Report
from teams.http.rest import described
from teams.roles import Action

STATES = [state.value for state in CommitStatus.State]


class StatusReport(serializers.Serializer[dict[str, Any]]):
    """The outcome of one check."""

    state = serializers.ChoiceField(choices=STATES)
    context = serializers.CharField(  # type: ignore[assignment]
        max_length=MAX_CONTEXT, default="default", help_text="The name of the check."
    )
    description = serializers.CharField(max_length=200, default="", allow_blank=True)
    target_url = serializers.CharField(
        max_length=1000, default="", allow_blank=True, help_text="Where to read more."
    )


class Status(serializers.Serializer[CommitStatus]):
    """One check, as it was reported last."""

    context = serializers.CharField()  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=STATES)
    description = serializers.CharField()
    target_url = serializers.CharField()
    reported_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_reported_by(self, status: CommitStatus) -> str | None:
        return name_of(status.reported_by)


class Combined(serializers.Serializer[dict[str, Any]]):
    """All checks of a commit and what they come to: the worst of them."""

    commit = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    statuses = Status(many=True)


class Statuses(OfRepoRest):
    """GET and POST /api/v1/repos/{kind}s/{name}/statuses/{revision}."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_WRITE}

    @described(
        operation_id="list_statuses",
        summary="What was reported on a commit",
        responses={200: Combined, 404: OpenApiResponse(description="No such commit.")},
    )
    def get(self, _request: Request, revision: str, **_: object) -> Response:
        commit = self.commit(revision)
        found = statuses_of(self.repo, commit.oid)
        told = {"commit": commit.oid.hex(), "state": combined(found), "statuses": found}
        return Response(Combined(told).data)

    @described(
        operation_id="report_status",
        summary="Report the outcome of a check on a commit",
        request=StatusReport,
        responses={201: Status, 404: OpenApiResponse(description="No such commit.")},
    )
    def post(self, request: Request, revision: str, **_: object) -> Response:
        outcome = Report(**sent(request, StatusReport))
        made = statuses.report(
            repo=self.repo, commit=self.commit(revision), outcome=outcome, by=self.principal
        )
        return Response(Status(made).data, status=201)
