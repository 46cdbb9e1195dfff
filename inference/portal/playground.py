"""HTML: a model's form, and what it answers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from hub.portal.repo_page import RepoPage
from inference.portal.forms import CallForm
from inference.portal.shown import ShownAnswer, calls_as_code
from inference.protocols.tasks import Call, Task
from inference.queries.outputs import output_of
from inference.queries.served import Served, served
from inference.runtimes.ports import Picture
from inference.services import generations, predictions
from teams.errors import Refusal
from teams.http.forms import REFUSED
from teams.http.origin import base_url
from teams.http.views import PortalView
from teams.roles import Action


class TryIt(RepoPage):
    """GET, POST /{name}/try."""

    authz = {"get": Action.REPO_READ, "post": Action.REPO_READ}
    tab = "try"
    template = "inference/try.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        try:
            model = self._model()
        except Refusal as refusal:
            return self.page({"refused": refusal.message})
        task = self._task(request, model)
        return self._shown(model, task, CallForm(task, initial=_wanted(request)))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        model = self._model()
        task = self._task(request, model)
        form = CallForm(task, request.POST, request.FILES)
        answer = None
        if form.is_valid():
            with form.showing_refusals():
                answer = self._answered(model, form.call())
        status = 200 if answer else REFUSED
        return self._shown(model, task, form, answer, status=status)

    def _model(self) -> Served:
        """The model at the head of the default branch.

        Raises:
            Refusal: it cannot be run.
        """
        return served(self.repo, self.resolve())

    def _task(self, request: HttpRequest, model: Served) -> Task:
        named = request.GET.get("task", "")
        return model.task(named) if named in set(model.offer.tasks) else model.task()

    def _answered(self, model: Served, call: Call) -> ShownAnswer:
        answer = predictions.predict(model, call, by=self.principal)
        if isinstance(answer, Picture) and self.principal.user is not None:
            kept = generations.keep(answer, repo=self.repo, by=self.principal.user)
            return ShownAnswer.of(answer, call, url=kept.url)
        return ShownAnswer.of(answer, call)

    def _shown(
        self,
        model: Served,
        task: Task,
        form: CallForm,
        answer: ShownAnswer | None = None,
        *,
        status: int = 200,
    ) -> HttpResponse:
        url = f"{base_url(self.request)}/inference/models/{model.ref.repo}"
        context: dict[str, Any] = {
            "form": form,
            "task": task,
            "choices": [
                {"label": one.replace("-", " "), "url": f"?task={one}", "active": one == task}
                for one in model.offer.tasks
            ],
            "answer": answer,
            "codes": calls_as_code(task, url),
        }
        return self.page(context, status=status)


def _wanted(request: HttpRequest) -> dict[str, str]:
    """What a link "use again" says."""
    return {name: str(value) for name, value in request.GET.items() if name != "task"}


class OutputPicture(PortalView):
    """GET /inference/outputs/{id}.png."""

    authz = {"get": Action.SIGN_IN}

    def get(self, _request: HttpRequest, output: str) -> HttpResponseBase:
        found = output_of(self.principal, output)
        response = HttpResponse(bytes(found.png), content_type="image/png")
        # It never changes; but it is its owner's, so no cache between us may keep it.
        response["Cache-Control"] = "private, max-age=31536000, immutable"
        return response
