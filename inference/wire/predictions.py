"""Wire: the URL that people give InferenceClient as its model."""

from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException

from hub.http.repo_views import OfRepo, revision_named
from hub.queries import history
from inference.errors import InputRejected
from inference.protocols import hf
from inference.protocols.images import MAX_BYTES
from inference.queries.served import Served, served
from inference.queries.workers import worker_for
from inference.runtimes.ports import Picture
from inference.services import predictions
from teams.errors import TooLarge
from teams.http.json_answer import JsonAnswer
from teams.http.views import WireView
from teams.roles import Action

MAX_BODY = 2 * (MAX_BYTES * 4 // 3) + 2**20
"""Two pictures as base64, and what is said beside them."""


class OfModel(OfRepo, WireView):
    """A model that the URL names, at ``?revision=``, else at the head of its default branch."""

    def model(self, request: HttpRequest) -> Served:
        text = request.GET.get("revision") or self.repo.default_branch
        return served(self.repo, history.resolve(self.repo, revision_named(text)))


class Predict(OfModel):
    """POST /inference/models/{name}[/pipeline/{task}]."""

    authz = {"post": Action.REPO_READ, "get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        """What the model can be asked."""
        model = self.model(request)
        return JsonAnswer(
            {
                "model": model.ref.repo,
                "sha": model.ref.commit,
                "pipeline_tag": model.offer.task,
                "tasks": list(model.offer.tasks),
            }
        )

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        model = self.model(request)
        task = model.task(kwargs.get("task", ""))
        # With a task in the URL there is nothing left to guess.
        offered = (task,) if "task" in kwargs else model.offer.tasks
        call = hf.read(body_of(request), task, offered)
        answer = predictions.predict(model, call, by=self.principal)
        if isinstance(answer, Picture):
            return HttpResponse(answer.png, content_type="image/png")
        return JsonAnswer(hf.written(answer, call))


class Health(OfModel):
    """GET /inference/models/{name}/health: 200 when a worker is there for it."""

    authz = {"get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        worker_for(self.model(request).ref)
        return HttpResponse(status=200)


def body_of(request: HttpRequest) -> bytes:
    """Read a body that holds pictures.

    Raises:
        TooLarge: it is larger than pictures may be.
        InputRejected: it was cut off.
    """
    try:
        raw = request.read(MAX_BODY + 1)
    except RawPostDataException:
        raise InputRejected("The body was cut off.") from None
    if len(raw) > MAX_BODY:
        raise TooLarge(f"The body has more than {MAX_BODY:,} bytes.")
    return raw
