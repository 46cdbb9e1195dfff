"""Publish what was trained: one commit by the hub's own client, whose card says what made it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from hub.models import Repo, RepoCard
from hub.names import RepoKind, RepoName
from hub.policies import check_can
from hub.queries.repos import find_repo
from hub.services import repos
from hub.services.working import JobFailed
from inference.models import Run
from inference.training.card import card_of
from inference.training.recipes import about
from teams.errors import Refusal
from teams.policies import Principal
from teams.roles import Action, Permission
from teams.services import tokens
from teams.services.tokens import Allowed

_LASTS = timedelta(hours=2)


def publish(run: Run, folder: Path) -> None:
    """Write the card beside the model in ``folder``, and commit all of it at once.

    A repo that was made for it, and into which the commit cannot be put, is deleted again.

    Raises:
        JobFailed: who asked may not write there any more, or the hub refuses the commit.
        OSError: the hub does not answer.
    """
    by = Principal(user=run.by, may_change=True)
    repo, is_new = _output(run, by)
    try:
        (folder / "README.md").write_text(_card(run))
        commit = _commit(run, repo, folder)
    except Exception:
        if is_new:
            repos.delete(repo=repo, by=by)
        raise
    run.output, run.output_commit = repo, commit
    run.save(update_fields=["output", "output_commit"])


def _output(run: Run, by: Principal) -> tuple[Repo, bool]:
    name = RepoName.parse(run.output_name)
    found = find_repo(RepoKind.MODEL, name)
    try:
        if found is not None:
            check_can(by, Action.REPO_WRITE, found)
            return found, False
        with transaction.atomic():
            visibility = Repo.Visibility.PRIVATE if run.is_private else Repo.Visibility.PUBLIC
            made = repos.create(kind=RepoKind.MODEL, name=name, by=by, visibility=visibility)
            return made, True
    except Refusal as refusal:
        message = f"The model cannot be published as {run.output_name}: {refusal.message}"
        raise JobFailed("not_publishable", message) from refusal


def _card(run: Run) -> str:
    recipe = about(run.recipe)
    card = RepoCard.objects.filter(repo=run.base).first()
    metadata = (card.metadata if card else None) or {}
    task = recipe.task or (card.pipeline_tag if card else "")
    license_ = metadata.get("license")
    evidence = {
        **run.evidence,
        "task": task,
        "license": license_ if isinstance(license_, str) else "",
    }
    return card_of(recipe, run.output_name, evidence, address=settings.PUBLIC_URL)


def _commit(run: Run, repo: Repo, folder: Path) -> str:
    # Only the worker publishes, and web must start without the client.
    from huggingface_hub import CommitOperationAdd, HfApi  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    files = sorted(file for file in folder.rglob("*") if file.is_file())
    job = f"run-{run.public_id}"
    may = [
        Allowed(
            frozenset({Permission.CONTENT_WRITE}), namespace_id=repo.namespace_id, repo_id=repo.pk
        )
    ]
    _token, secret = tokens.issue_for_job(job=job, user=run.by, may=may, lasts=_LASTS)
    try:
        told: Any = HfApi(endpoint=settings.INTERNAL_URL, token=secret).create_commit(
            repo.full_name,
            [CommitOperationAdd(file.relative_to(folder).as_posix(), str(file)) for file in files],
            commit_message=f"Train it: {about(run.recipe).title}",
            commit_description=(
                f"From {run.base_name}@{run.base_commit[:12]} "
                f"on {run.dataset_name}@{run.dataset_commit[:12]}."
            ),
            revision=repo.default_branch,
        )
    except HfHubHTTPError as problem:
        status = problem.response.status_code
        if 400 <= status < 500:  # noqa: PLR2004 - what the hub refuses, it refuses again
            said = problem.server_message or str(problem)
            raise JobFailed("not_publishable", f"The hub refused the commit: {said}") from problem
        raise OSError(str(problem)) from problem
    finally:
        tokens.revoke_all_for(f"job:{job}")
    return str(told.oid)
