"""REST: recipes, runs, their figures and their end."""

from dataclasses import fields
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import Job
from hub.rest.of_repo import name_of, sent
from hub.services import jobs
from inference.models import Figures, Run
from inference.queries.runs import figures_of, run_of, runs_of
from inference.services import runs
from inference.services.runs import Wish
from inference.training.recipes import RECIPES, About
from teams.errors import Invalid
from teams.http.pagination import limit_of
from teams.http.rest import RestView, described
from teams.http.views import Public
from teams.roles import Action

PAGE = 30
MOST = 100
STATES = [state.value for state in Job.State]
NO_RUN = OpenApiResponse(description="No such run, or not one of yours.")
OPEN = Public("What can be trained is no secret.")


class RecipeShape(serializers.Serializer[About]):
    """A way of training, and what it is given."""

    name = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    families = serializers.SerializerMethodField(help_text="Kinds of base models.")
    fewest_rows = serializers.IntegerField(source="fewest")
    parameters = serializers.JSONField(source="schema", help_text="JSON Schema.")

    def get_families(self, recipe: About) -> list[str]:
        return sorted(recipe.families)


class RecipeList(serializers.Serializer[dict[str, Any]]):
    """All there are."""

    results = RecipeShape(many=True)


class RunWish(serializers.Serializer[dict[str, Any]]):
    """What is to be trained."""

    recipe = serializers.CharField(
        default="", allow_blank=True, help_text="The first that trains such models, if not given."
    )
    base_model = serializers.CharField()
    base_revision = serializers.CharField(default="", allow_blank=True)
    dataset = serializers.CharField()
    dataset_revision = serializers.CharField(default="", allow_blank=True)
    config = serializers.CharField(default="default")
    train_split = serializers.CharField(default="train")
    valid_split = serializers.CharField(
        default="", allow_blank=True, help_text="Without one rows of the other are held back."
    )
    parameters = serializers.DictField(default=dict, help_text="As the recipe's schema says.")
    output = serializers.CharField(help_text="The model that it becomes a commit of.")
    private = serializers.BooleanField(
        default=None,
        allow_null=True,
        help_text="Of a new model; by default as closed as base and dataset.",
    )


class OneRun(serializers.Serializer[Run]):
    """A training, from what it is given to what came of it."""

    id = serializers.CharField(source="public_id")
    recipe = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    asked_by = serializers.SerializerMethodField()
    job = serializers.SerializerMethodField(help_text="Null once it is forgotten.")
    step = serializers.SerializerMethodField(help_text="What is being done, in words.")
    done = serializers.SerializerMethodField(help_text="Steps.")
    total = serializers.SerializerMethodField(help_text="Steps; 0 is not known.")
    error_code = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    base_model = serializers.CharField(source="base_name")
    base_commit = serializers.CharField()
    dataset = serializers.CharField(source="dataset_name")
    dataset_commit = serializers.CharField()
    config = serializers.CharField()
    train_split = serializers.CharField()
    valid_split = serializers.CharField()
    parameters = serializers.JSONField(source="values")
    output = serializers.CharField(source="output_name")
    output_commit = serializers.CharField(help_text="Empty until it is published.")
    evidence = serializers.JSONField(help_text="What the card is written from.")
    created_at = serializers.DateTimeField()

    def get_asked_by(self, run: Run) -> str | None:
        return name_of(run.by)

    def get_job(self, run: Run) -> str | None:
        return run.job.public_id if run.job else None

    def get_step(self, run: Run) -> str:
        return run.job.step if run.job else ""

    def get_done(self, run: Run) -> int:
        return run.job.done if run.job else 0

    def get_total(self, run: Run) -> int:
        return run.job.total if run.job else 0

    def get_error_code(self, run: Run) -> str:
        return run.job.error_code if run.job else ""

    def get_error(self, run: Run) -> str:
        return run.job.error if run.job else ""


class RunList(serializers.Serializer[dict[str, Any]]):
    """Newest first."""

    next_cursor = serializers.CharField(allow_null=True)
    results = OneRun(many=True)


class FiguresShape(serializers.Serializer[Figures]):
    """What was measured at one step."""

    step = serializers.IntegerField()
    values = serializers.JSONField()


class RunFiguresShape(serializers.Serializer[dict[str, Any]]):
    """In order of steps; of very many every so-many-th."""

    steps = FiguresShape(many=True, help_text="Loss, learning rate, seconds …")
    measured = FiguresShape(many=True, help_text="On rows that are held back.")


class Recipes(RestView):
    """GET /api/v1/recipes."""

    authz = {"get": OPEN}

    @described(
        operation_id="list_recipes",
        summary="Ways of training, and their parameters",
        responses={200: RecipeList},
    )
    def get(self, _request: Request) -> Response:
        return Response(RecipeList({"results": list(RECIPES.values())}).data)


class Runs(RestView):
    """GET, POST /api/v1/runs."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="list_runs",
        summary="The trainings that you asked for",
        parameters=[
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
            OpenApiParameter("cursor", str, description="next_cursor of the page before"),
        ],
        responses={200: RunList},
    )
    def get(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        if state and state not in STATES:
            raise Invalid(f"state must be one of {', '.join(STATES)}.")
        page = runs_of(
            self.principal,
            state=state,
            cursor=request.query_params.get("cursor", ""),
            limit=limit_of(self.http_request, default=PAGE, most=MOST),
        )
        return Response(
            RunList({"next_cursor": page.next_cursor or None, "results": page.runs}).data
        )

    @described(
        operation_id="request_run",
        summary="Train a model",
        description="Answers the run at once; it begins when a worker is free.",
        request=RunWish,
        responses={202: OneRun, 404: OpenApiResponse(description="No such model or dataset.")},
    )
    def post(self, request: Request) -> Response:
        given = sent(request, RunWish)
        wish = Wish(**{field.name: given[field.name] for field in fields(Wish)})
        run = runs.request(wish, by=self.principal)
        return Response(OneRun(run_of(self.principal, run.public_id)).data, status=202)


class SomeRun(RestView):
    """GET /api/v1/runs/{id}."""

    authz = {"get": Action.SIGN_IN}

    @described(operation_id="get_run", summary="One run", responses={200: OneRun, 404: NO_RUN})
    def get(self, _request: Request, run: str) -> Response:
        return Response(OneRun(run_of(self.principal, run)).data)


class RunFigures(RestView):
    """GET /api/v1/runs/{id}/figures."""

    authz = {"get": Action.SIGN_IN}

    @described(
        operation_id="get_run_figures",
        summary="What was measured while a run went",
        responses={200: RunFiguresShape, 404: NO_RUN},
    )
    def get(self, _request: Request, run: str) -> Response:
        found = run_of(self.principal, run)
        told = {
            "steps": figures_of(found, Figures.Kind.STEP),
            "measured": figures_of(found, Figures.Kind.MEASURED),
        }
        return Response(RunFiguresShape(told).data)


class RunCancel(RestView):
    """POST /api/v1/runs/{id}/cancel."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="cancel_run",
        summary="End a run; what it saved is kept for a while",
        request=None,
        responses={200: OneRun, 404: NO_RUN},
    )
    def post(self, _request: Request, run: str) -> Response:
        found = run_of(self.principal, run)
        if found.job is not None:
            jobs.cancel(found.job, by=self.principal)
        return Response(OneRun(run_of(self.principal, run)).data)


class RunAgain(RestView):
    """POST /api/v1/runs/{id}/again."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="repeat_run",
        summary="Ask for the same once more",
        request=None,
        responses={202: OneRun, 404: NO_RUN},
    )
    def post(self, _request: Request, run: str) -> Response:
        made = runs.again(run_of(self.principal, run), by=self.principal)
        return Response(OneRun(run_of(self.principal, made.public_id)).data, status=202)
