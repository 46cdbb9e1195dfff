"""REST routes of inference."""

from django.urls import path

from hub.names import RepoKind
from inference.rest import generations

urlpatterns = [
    path(
        "api/v1/repos/models/<repo:name>/generations",
        generations.Generations.as_view(),
        {"kind": RepoKind.MODEL},
    ),
    path("api/v1/outputs", generations.Outputs.as_view()),
    path("api/v1/outputs/<text:output>", generations.OneOutput.as_view()),
    path("api/v1/outputs/<text:output>/content", generations.OutputContent.as_view()),
]
