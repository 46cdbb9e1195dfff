"""The job of a run: fetch, train in a child, keep its checkpoints and figures, publish."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings

from hub.models import Repo
from hub.policies import check_can
from hub.services.working import GaveWay, JobFailed, TryAgain, Work
from inference.models import Figures, Run
from inference.protocols.families import Family
from inference.runtimes.ports import ModelRef
from inference.services import checkpoints
from inference.services.leave import leave_to_read
from inference.services.serving import rooms
from inference.services.trained import publish
from inference.serving.line import ANYBODY
from inference.training import fetching
from inference.training.ports import TrainingFailed
from inference.training.process import GRACE_SECONDS, Child
from inference.training.recipes import about
from teams.errors import Refusal
from teams.policies import Principal
from teams.roles import Action

_WRITE_AT_ONCE = 50


def run(work: Work) -> Mapping[str, Any]:
    """Train, and publish what comes of it; another attempt goes on at the last checkpoint."""
    found = Run.objects.select_related("by", "base__namespace", "dataset__namespace", "output")
    one = found.filter(pk=work.params["run"]).first()
    if one is None:
        raise JobFailed("gone", "The run, or who asked for it, is gone.")
    if not one.output_commit:
        with _folder(work, one) as folder:
            try:
                _do(work, one, folder)
            except TrainingFailed as problem:
                raise JobFailed(problem.code, problem.message) from problem
            except fetching.RowsNotReady as problem:
                raise TryAgain("dataset_not_ready", str(problem)) from problem
    return {"model": one.output_name, "commit": one.output_commit, "run": one.public_id}


def _do(work: Work, run: Run, folder: Path) -> None:
    base, dataset = check_sources(run)
    recipe = about(run.recipe)
    model = ModelRef(base.full_name, run.base_commit, _family(run))
    work.progress(0, 0, "fetching rows")
    with leave_to_read(dataset, _user(run, dataset)) as token:
        _fetch_rows(work, run, folder, "" if token == ANYBODY else token)
    work.progress(0, 0, "fetching the model")
    with leave_to_read(base, _user(run, base)) as token:
        place = rooms().fetch(model, "" if token == ANYBODY else token)
    asked = {"recipe": recipe.name, "values": run.values, "base": str(place)}
    (folder / "asked.json").write_text(json.dumps(asked))
    if step := checkpoints.bring_last(run, folder / "resume.tar"):
        work.log(f"Going on after step {step:,}, of which there is a checkpoint.")
    _Attempt(work, run).train(folder)
    # What was allowed when it began need not be allowed now.
    check_sources(run)
    steps = int(run.evidence["steps"])
    work.progress(steps, steps, "publishing")
    publish(run, folder / "made")
    work.log(f"Published as {run.output_name}@{run.output_commit[:12]}.")
    work.job.repo = run.output
    work.job.save(update_fields=["repo"])


def check_sources(run: Run) -> tuple[Repo, Repo]:
    """Base and dataset, if both are there still for who asked.

    Raises:
        JobFailed: one is not.
    """
    by = Principal(user=run.by)
    for what, repo in (("base model", run.base), ("dataset", run.dataset)):
        code = "base_gone" if what == "base model" else "dataset_gone"
        fresh = Repo.objects.select_related("namespace").filter(pk=repo.pk if repo else 0).first()
        if fresh is None:
            raise JobFailed(code, f"The {what} was deleted.")
        try:
            check_can(by, Action.REPO_READ, fresh)
        except Refusal as refusal:
            message = f"The {what} may not be read any more: {refusal.message}"
            raise JobFailed(code, message) from refusal
    if run.base is None or run.dataset is None:
        raise JobFailed("gone", "Its base model or dataset is gone.")
    return run.base, run.dataset


def _family(run: Run) -> Family:
    return next(iter(about(run.recipe).families))


def _user(run: Run, repo: Repo) -> Any:
    return run.by if repo.private or repo.gate else None


def _fetch_rows(work: Work, run: Run, folder: Path, token: str) -> None:
    names = {"train": run.train_split} | ({"valid": run.valid_split} if run.valid_split else {})
    for file, name in names.items():
        split = fetching.Split(
            endpoint=settings.INTERNAL_URL,
            token=token,
            dataset=run.dataset.full_name if run.dataset else run.dataset_name,
            commit=run.dataset_commit,
            config=run.config,
            name=name,
        )
        schema = fetching.schema_of(split)
        columns = set(about(run.recipe).columns(schema, run.values).values())
        kept = pa.schema([one for one in schema if one.name in columns], schema.metadata)
        fetching.fetch(
            split,
            kept,
            folder / f"{file}.arrow",
            lambda rows: work.progress(0, 0, f"fetching rows: {rows:,}"),
        )


@contextmanager
def _folder(work: Work, run: Run) -> Iterator[Path]:
    """A folder of this attempt; what earlier ones left is deleted."""
    home = Path(settings.RUNS_HOME)
    for old in home.glob(f"{run.pk}-*"):
        shutil.rmtree(old, ignore_errors=True)
    folder = home / f"{run.pk}-{work.job.attempt}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class _Seen:
    """What the child told, as far as the card needs it."""

    plan: Mapping[str, Any]
    is_made: bool = False


class _Attempt:
    """A child, and what becomes of its lines."""

    def __init__(self, work: Work, run: Run) -> None:
        self._work, self._run = work, run
        self._seen = _Seen({})
        self._waiting: list[Figures] = []

    def train(self, folder: Path) -> None:
        """Let the child go to its end, and keep the evidence.

        Raises:
            TrainingFailed: it could not.
            Interrupted: it is not to go on here; what it saved is kept.
        """
        child = Child(folder)
        try:
            for line in child.lines(self._work.check):
                self._hear(line)
        except GaveWay:
            child.ask_to_end()
            self._hear_out(child)
            raise
        finally:
            child.end()
            self._write()
        if not self._seen.is_made:
            raise TrainingFailed("training_died", "The training ended before its last step.")
        self._keep_evidence()

    def _hear_out(self, child: Child) -> None:
        """Keep what a child saves that was asked to end, if it does so in time."""
        for line in child.lines_within(GRACE_SECONDS):
            if "checkpoint" in line:
                checkpoints.keep(self._run, line["checkpoint"], Path(line["file"]))

    def _hear(self, line: Mapping[str, Any]) -> None:
        if "step" in line:
            self._note(Figures.Kind.STEP, line["step"], line["figures"])
            self._work.progress(line["step"], self._seen.plan["steps"], "training")
        elif "measured" in line:
            self._note(Figures.Kind.MEASURED, line["measured"], line["figures"])
            self._write()
        elif "checkpoint" in line:
            self._write()
            checkpoints.keep(self._run, line["checkpoint"], Path(line["file"]))
            Path(line["file"]).unlink()
            self._work.log(f"Saved step {line['checkpoint']:,}.")
        elif "plan" in line:
            self._seen.plan = line["plan"]
            plan = line["plan"]
            self._work.log(
                f"{plan['steps']:,} steps over {plan['train']:,} rows; "
                f"{plan['valid']:,} rows are held back. On {plan['device']}."
            )
        elif "log" in line:
            self._work.log(str(line["log"]))
        elif "made" in line:
            self._seen.is_made = True

    def _note(self, kind: Figures.Kind, step: int, values: Mapping[str, Any]) -> None:
        if values:
            self._waiting.append(Figures(run=self._run, kind=kind, step=step, values=values))
        if len(self._waiting) >= _WRITE_AT_ONCE:
            self._write()

    def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        Figures.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["run", "kind", "step"],
            update_fields=["values"],
        )

    def _keep_evidence(self) -> None:
        run, plan = self._run, self._seen.plan
        steps = run.figures.filter(kind=Figures.Kind.STEP).order_by("step")
        taken = [row.values for row in steps]
        last = run.figures.filter(kind=Figures.Kind.MEASURED).order_by("-step").first()
        run.evidence = {
            "run": run.public_id,
            "base": {"name": run.base_name, "commit": run.base_commit},
            "dataset": {
                "name": run.dataset_name,
                "commit": run.dataset_commit,
                "config": run.config,
                "train_split": run.train_split,
                "valid_split": run.valid_split,
                "rows": plan["train"],
                "rows_held_back": plan["valid"],
            },
            "columns": plan["columns"],
            "values": run.values,
            "steps": plan["steps"],
            "seconds": sum(one["seconds"] for one in taken),
            "first_loss": taken[0]["loss"],
            "last_loss": taken[-1]["loss"],
            "measured": last.values if last else {},
            "device": plan["device"],
            "versions": plan["versions"],
        }
        run.save(update_fields=["evidence"])
