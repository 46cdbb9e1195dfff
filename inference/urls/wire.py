"""Wire routes of inference."""

from django.urls import path

from hub.names import RepoKind
from inference.wire import openai, predictions

MODEL = "inference/models/<repo:name>"
KIND = {"kind": RepoKind.MODEL}

urlpatterns = [
    path(MODEL, predictions.Predict.as_view(), KIND),
    path(f"{MODEL}/pipeline/<text:task>", predictions.Predict.as_view(), KIND),
    path(f"{MODEL}/health", predictions.Health.as_view(), KIND),
    path(f"{MODEL}/v1/chat/completions", openai.ChatOfModel.as_view(), KIND),
    path("v1/images/generations", openai.Images.as_view()),
    path("v1/embeddings", openai.Embeddings.as_view()),
    path("v1/chat/completions", openai.Chat.as_view()),
]
