"""HTML routes of inference."""

from django.urls import path

from hub.names import RepoKind
from inference.portal import playground

urlpatterns = [
    path("<repo:name>/try", playground.TryIt.as_view(), {"kind": RepoKind.MODEL}),
    path("inference/outputs/<text:output>.png", playground.OutputPicture.as_view()),
]
