"""Wire: what OpenAI's clients ask, with a repo's name as the model."""

import base64
import json
import time
import uuid
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from hub.errors import BadName
from hub.http.repo_views import revision_named
from hub.names import RepoKind, RepoName
from hub.queries import history
from hub.queries.repos import repo_for
from inference.errors import InputRejected
from inference.protocols import openai
from inference.queries.served import Served, served
from inference.services import predictions
from inference.wire.predictions import OfModel, body_of
from teams.errors import Refusal
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.refusals import on_the_wire
from teams.http.views import Public, WireView
from teams.roles import Action


class OpenAiView(WireView):
    """The model is named in the body, so the rule is asked once that is read."""

    authz = {"post": Public("Who may read the model that the body names, asked there.")}

    def refuse(self, refusal: Refusal) -> HttpResponse:
        """Refusals in the shape that these clients show."""
        spoken = on_the_wire(refusal, self.principal)
        told = {"message": refusal.message, "type": type(refusal).__name__, "code": refusal.code}
        answer = JsonAnswer({"error": told}, status=spoken.status_code)
        for name, value in spoken.items():
            if name.startswith("X-") or name == "Retry-After":
                answer[name] = value
        return answer

    def named(self, body: Body) -> Served:
        """Find the model: ``namespace/name``, or ``namespace/name@revision``.

        Raises:
            Refusal: there is no such model for the caller, or it cannot be run.
        """
        text, _, revision = body.text("model").partition("@")
        try:
            name = RepoName.parse(text)
        except BadName:
            raise InputRejected("model must be the name of a repo, as namespace/name.") from None
        repo = repo_for(self.principal, Action.REPO_READ, RepoKind.MODEL, name)
        commit = history.resolve(repo, revision_named(revision or repo.default_branch))
        return served(repo, commit)


class Images(OpenAiView):
    """POST /v1/images/generations."""

    def post(self, request: HttpRequest) -> HttpResponse:
        body = Body.parse(body_of(request))
        model = self.named(body)
        calls = openai.images_asked(body.values)
        model.task(calls[0].task)
        pictures = predictions.predict_all(model, calls, by=self.principal)
        data = [{"b64_json": base64.b64encode(one.png).decode()} for one in pictures]
        return JsonAnswer({"created": int(time.time()), "data": data})


class Embeddings(OpenAiView):
    """POST /v1/embeddings."""

    def post(self, request: HttpRequest) -> HttpResponse:
        body = Body.parse(body_of(request))
        model = self.named(body)
        calls = openai.embeddings_asked(body.values)
        for call in calls:
            model.task(call.task)
        answers = predictions.predict_all(model, calls, by=self.principal)
        return JsonAnswer(openai.embeddings_told(answers, body.values))


class Chat(OpenAiView):
    """POST /v1/chat/completions."""

    def post(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        body = Body.parse(body_of(request))
        return self.answered(body, self.named(body))

    def answered(self, body: Body, model: Served) -> HttpResponseBase:
        call = openai.chat_asked(body.values, model.offer)
        answer = predictions.predict(model, call, by=self.principal)
        made, id_ = int(time.time()), f"chatcmpl-{uuid.uuid4().hex}"
        if body.boolean("stream"):
            pieces = openai.chat_streamed(answer, body.values, made=made, id_=id_)
            return StreamingHttpResponse(_events(pieces), content_type="text/event-stream")
        return JsonAnswer(openai.chat_told(answer, body.values, made=made, id_=id_))


class ChatOfModel(OfModel, Chat):
    """POST /inference/models/{name}/v1/chat/completions: the URL names the model."""

    authz = {"post": Action.REPO_READ}

    def post(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        return self.answered(Body.parse(body_of(request)), self.model(request))


def _events(pieces: list[dict[str, object]]) -> Iterator[bytes]:
    for piece in pieces:
        yield b"data: " + json.dumps(piece).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"
