"""HTML routes of inference."""

from django.urls import path

from hub.names import RepoKind
from inference.portal import playground, runs

urlpatterns = [
    path("<repo:name>/try", playground.TryIt.as_view(), {"kind": RepoKind.MODEL}),
    path("<repo:name>/train", runs.Train.as_view(), {"kind": RepoKind.MODEL}),
    path("datasets/<repo:name>/trained", runs.Lineage.as_view(), {"kind": RepoKind.DATASET}),
    path("inference/runs", runs.Runs.as_view()),
    path("inference/runs/<text:run>", runs.OneRun.as_view()),
    path("inference/outputs/<text:output>.png", playground.OutputPicture.as_view()),
]
