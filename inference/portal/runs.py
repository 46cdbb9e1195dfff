"""HTML: training a model, the runs that somebody asked for, and one of them as it goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.http import links
from hub.models import Repo
from hub.portal.jobs import LOG_LINES, ShownJob
from hub.portal.lists import page_or_part
from hub.portal.repo_page import RepoPage, Tab
from hub.queries.jobs import last_lines
from hub.services import jobs
from inference.errors import NoWorker
from inference.models import Figures, Run
from inference.portal.curves import Curve, curve
from inference.portal.run_forms import TrainForm
from inference.queries.runs import figures_of, made_from, makers_of, run_of, runs_of
from inference.queries.served import Served, served
from inference.queries.workers import alive
from inference.services import runs
from inference.training.recipes import About, about, recipes_for
from teams.errors import Refusal
from teams.http.forms import REFUSED
from teams.http.views import PortalView
from teams.roles import Action

A_PAGE = 30
_TABS = (("All", ""), ("Waiting", "queued"), ("Running", "running"), ("Failed", "failed"))
_CURVES = ("loss", "lr")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """A run in words."""

    id: str
    url: str
    title: str
    job: ShownJob | None
    state: str
    base: str
    base_url: str
    base_commit: str
    dataset: str
    dataset_url: str
    dataset_commit: str
    output: str
    output_url: str
    output_commit: str
    parameters: Sequence[tuple[str, Any]]
    measured: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, run: Run) -> "ShownRun":
        measured = run.evidence.get("measured", {})
        return cls(
            id=run.public_id,
            url=run.url,
            title=about(run.recipe).title,
            job=ShownJob.of(run.job) if run.job else None,
            state=run.state,
            base=run.base.full_name if run.base else run.base_name,
            base_url=_at(run.base, run.base_commit),
            base_commit=run.base_commit[:7],
            dataset=run.dataset.full_name if run.dataset else run.dataset_name,
            dataset_url=_at(run.dataset, run.dataset_commit),
            dataset_commit=run.dataset_commit[:7],
            output=run.output.full_name if run.output else run.output_name,
            output_url=run.output.url if run.output and run.output_commit else "",
            output_commit=run.output_commit[:7],
            parameters=[
                (field.name, run.values.get(field.name))
                for field in about(run.recipe).fields
                if run.values.get(field.name) not in {None, ""}
            ],
            measured=[(name.replace("_", " "), f"{value:.4g}") for name, value in measured.items()],
        )


def _at(repo: Repo | None, commit: str) -> str:
    return links.tree_url(repo.url, commit) if repo else ""


class Train(RepoPage):
    """GET, POST /{name}/train?recipe=."""

    authz = {"get": Action.REPO_READ, "post": Action.REPO_READ}
    tab = "train"
    template = "inference/train.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        try:
            model = self._model()
        except Refusal as refusal:
            return self._shown(None, None, refused=refusal.message)
        recipes = recipes_for(model.offer.family)
        if not recipes:
            return self._shown(model, None, refused="No recipe trains models of this kind yet.")
        recipe = self._recipe(request, recipes)
        return self._shown(model, TrainForm(recipe, initial=self._initial(recipe)))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        model = self._model()
        recipe = self._recipe(request, recipes_for(model.offer.family))
        form = TrainForm(recipe, request.POST)
        if form.is_valid():
            with form.showing_refusals():
                wish = form.wish(self.repo.full_name, model.ref.commit)
                return redirect(runs.request(wish, by=self.principal).url)
        return self._shown(model, form, status=REFUSED)

    def _model(self) -> Served:
        """The model at the head of the default branch.

        Raises:
            Refusal: it is none that is loaded here.
        """
        return served(self.repo, self.resolve())

    def _recipe(self, request: HttpRequest, recipes: Sequence[About]) -> About:
        named = request.GET.get("recipe", "")
        return next((one for one in recipes if one.name == named), recipes[0])

    def _initial(self, recipe: About) -> dict[str, str]:
        given = {name: str(value) for name, value in self.request.GET.items()}
        user = self.principal.user
        if user is not None:
            given.setdefault("output", f"{user.name}/{self.repo.name}-{recipe.name}"[:200])
        return given

    def _shown(
        self, model: Served | None, form: TrainForm | None, *, refused: str = "", status: int = 200
    ) -> HttpResponse:
        recipes = recipes_for(model.offer.family) if model else []
        context = {
            "form": form,
            "refused": refused,
            "signed_in": self.principal.user is not None,
            "choices": [
                {
                    "label": one.title,
                    "url": f"?recipe={one.name}",
                    "active": form is not None and one is form.recipe,
                }
                for one in recipes
            ],
            "made_from": [ShownRun.of(run) for run in made_from(self.repo, self.principal)],
            "makers": [ShownRun.of(run) for run in makers_of(self.repo, self.principal)],
        }
        return self.page(context, status=status)


class Lineage(RepoPage):
    """GET /datasets/{name}/trained: the models that learned from a dataset."""

    authz = {"get": Action.REPO_READ}
    tab = "trained"
    template = "inference/trained.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        found = [ShownRun.of(run) for run in made_from(self.repo, self.principal)]
        return self.page({"made_from": found})


class Runs(PortalView):
    """GET /inference/runs?state=."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest) -> HttpResponse:
        state = request.GET.get("state", "")
        page = runs_of(
            self.principal, state=state, cursor=request.GET.get("cursor", ""), limit=A_PAGE
        )
        following = {"state": state, "cursor": page.next_cursor}
        context = {
            "runs": [ShownRun.of(run) for run in page.runs],
            "tabs": [
                Tab(label, links.with_query("/inference/runs", {"state": value}), value == state)
                for label, value in _TABS
            ],
            "next_url": links.with_query("/inference/runs", following) if page.next_cursor else "",
        }
        return render(request, "inference/runs.html", context)


class OneRun(PortalView):
    """GET /inference/runs/{id}, POST: end=cancel or again. While it goes its part asks anew."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, run: str) -> HttpResponse:
        found = run_of(self.principal, run)
        log = last_lines(found.job, most=LOG_LINES) if found.job else []
        context = {
            "run": ShownRun.of(found),
            "curves": _curves(found),
            "log": "\n".join(log),
            "no_worker": "" if alive().exists() else NoWorker().message,
        }
        return page_or_part(request, "inference/run.html", "state", context)

    def post(self, request: HttpRequest, run: str) -> HttpResponse:
        found = run_of(self.principal, run)
        if request.POST.get("do") == "again":
            return redirect(runs.again(found, by=self.principal).url)
        if found.job is not None:
            jobs.cancel(found.job, by=self.principal)
        return redirect(found.url)


def _curves(run: Run) -> list[Curve]:
    """Loss and rate of the steps, and whatever was measured on rows that were held back."""
    steps = figures_of(run, Figures.Kind.STEP)
    measured = figures_of(run, Figures.Kind.MEASURED)
    names = sorted({name for row in measured for name in row.values})
    drawn = [
        *(_curve(name, steps) for name in _CURVES),
        *(_curve(name, measured) for name in names),
    ]
    return [one for one in drawn if one is not None]


def _curve(name: str, rows: Sequence[Figures]) -> Curve | None:
    seen = [(row.step, float(row.values[name])) for row in rows if name in row.values]
    titles = {"lr": "Learning rate", "loss": "Loss"}
    return curve(titles.get(name, name.replace("_", " ").capitalize()), seen)
