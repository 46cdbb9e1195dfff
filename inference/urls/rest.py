"""REST routes of inference."""

from django.urls import path

from hub.names import RepoKind
from inference.rest import generations, runs

urlpatterns = [
    path(
        "api/v1/repos/models/<repo:name>/generations",
        generations.Generations.as_view(),
        {"kind": RepoKind.MODEL},
    ),
    path("api/v1/outputs", generations.Outputs.as_view()),
    path("api/v1/outputs/<text:output>", generations.OneOutput.as_view()),
    path("api/v1/outputs/<text:output>/content", generations.OutputContent.as_view()),
    path("api/v1/recipes", runs.Recipes.as_view()),
    path("api/v1/runs", runs.Runs.as_view()),
    path("api/v1/runs/<text:run>", runs.SomeRun.as_view()),
    path("api/v1/runs/<text:run>/figures", runs.RunFigures.as_view()),
    path("api/v1/runs/<text:run>/cancel", runs.RunCancel.as_view()),
    path("api/v1/runs/<text:run>/again", runs.RunAgain.as_view()),
]
