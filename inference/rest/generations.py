"""REST: pictures as jobs, and what came of them."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.queries.jobs import job_of
from hub.rest.jobs import OneJob
from hub.rest.of_repo import OfRepoRest, sent
from inference.models import Output
from inference.protocols.tasks import call_of
from inference.queries.outputs import output_of, outputs_of
from inference.queries.served import served
from inference.services import generations
from teams.http.pagination import limit_of
from teams.http.rest import RestView, described
from teams.names import public_id
from teams.roles import Action

PAGE = 30
MOST = 100
NO_OUTPUT = OpenApiResponse(description="No such output, or not one of yours.")


class Wish(serializers.Serializer[dict[str, Any]]):
    """What is to be drawn."""

    task = serializers.CharField(
        default="", allow_blank=True, help_text="The model's own, if none."
    )
    inputs = serializers.DictField(
        help_text="What the task takes: prompt, seed, …; pictures as base64."
    )
    count = serializers.IntegerField(default=1, min_value=1, max_value=generations.MOST)
    revision = serializers.CharField(default="", allow_blank=True)


class OneOutputShape(serializers.Serializer[Output]):
    """A picture, and how it was made."""

    id = serializers.CharField(source="public_id")
    url = serializers.CharField(help_text="Where a browser sees it.")
    job = serializers.SerializerMethodField()
    recipe = serializers.JSONField()
    created_at = serializers.DateTimeField()

    def get_job(self, output: Output) -> str | None:
        return public_id(output.job_id) if output.job_id else None


class OutputPageShape(serializers.Serializer[dict[str, Any]]):
    """Newest first."""

    next_cursor = serializers.CharField(allow_null=True)
    results = OneOutputShape(many=True)


class Generations(OfRepoRest):
    """POST /api/v1/repos/models/{name}/generations."""

    authz = {"post": Action.REPO_READ}

    def check(self, action: Action) -> None:
        # Pictures are kept for somebody.
        RestView.check(self, Action.SIGN_IN)
        super().check(action)

    @described(
        operation_id="request_generation",
        summary="Have a model draw pictures",
        description="Answers a job at once; its outputs name the pictures once they are there.",
        request=Wish,
        responses={202: OneJob, 422: OpenApiResponse(description="No model that is run here.")},
    )
    def post(self, request: Request, **_: object) -> Response:
        wish = sent(request, Wish)
        model = served(self.repo, self.commit(wish["revision"] or self.repo.default_branch))
        call = call_of(model.task(wish["task"]), wish["inputs"])
        job = generations.request(model=model, call=call, count=wish["count"], by=self.principal)
        return Response(OneJob(job_of(self.principal, public_id(job))).data, status=202)


class Outputs(RestView):
    """GET /api/v1/outputs."""

    authz = {"get": Action.SIGN_IN}

    @described(
        operation_id="list_outputs",
        summary="The pictures that models made for you",
        parameters=[
            OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
            OpenApiParameter("cursor", str, description="next_cursor of the page before"),
        ],
        responses={200: OutputPageShape},
    )
    def get(self, request: Request) -> Response:
        page = outputs_of(
            self.principal,
            cursor=request.query_params.get("cursor", ""),
            limit=limit_of(self.http_request, default=PAGE, most=MOST),
        )
        told = {"next_cursor": page.next_cursor or None, "results": page.outputs}
        return Response(OutputPageShape(told).data)


class OneOutput(RestView):
    """GET /api/v1/outputs/{id}."""

    authz = {"get": Action.SIGN_IN}

    @described(
        operation_id="get_output",
        summary="One picture's recipe",
        responses={200: OneOutputShape, 404: NO_OUTPUT},
    )
    def get(self, _request: Request, output: str) -> Response:
        return Response(OneOutputShape(output_of(self.principal, output)).data)


class OutputContent(RestView):
    """GET /api/v1/outputs/{id}/content."""

    authz = {"get": Action.SIGN_IN}

    @described(
        operation_id="get_output_content",
        summary="One picture as PNG",
        responses={(200, "image/png"): bytes, 404: NO_OUTPUT},
    )
    def get(self, _request: Request, output: str) -> HttpResponse:
        found = output_of(self.principal, output)
        return HttpResponse(bytes(found.png), content_type="image/png")
