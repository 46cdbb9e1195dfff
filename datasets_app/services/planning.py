"""Plan: find out which snapshot a commit comes to, and ask for what is to be made of a new one.

A commit that changes neither data files nor how they are read costs one row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from datasets_app.errors import Unresolvable
from datasets_app.models import CommitSnapshot, Config, Snapshot, Source, Split, State
from datasets_app.queries.cards import card_of
from datasets_app.queries.files import members_of
from datasets_app.services import batching
from datasets_app.services.arrow_schemas import schema_of
from datasets_app.services.exporting import FORCED
from datasets_app.services.kinds import CANCELLED, EXPORT, PREVIEW, PUBLISH
from datasets_app.services.tidying import forget_purged
from datasets_app.shape import formats
from datasets_app.shape.configs import ConfigPlan, resolve
from datasets_app.shape.features import card_features
from datasets_app.shape.fingerprint import PIPELINE_VERSION, fingerprint
from hub.git.refs import BRANCHES
from hub.models import Job, Repo
from hub.models.job import OPEN
from hub.names import ROOT
from hub.queries import trees
from hub.queries.history import CommitRow, commit_by_oid, ref_oid
from hub.queries.trees import EntryFacts
from hub.services import jobs
from hub.services.working import Work


def plan(work: Work) -> dict[str, Any]:
    """Plan the head of a repo's default branch, or the commit that is asked for."""
    repo = work.job.repo
    if repo is None:
        return {}
    asked = work.params.get("commit")
    oid = bytes.fromhex(asked) if asked else ref_oid(repo.pk, BRANCHES + repo.default_branch)
    commit = commit_by_oid(repo.pk, oid) if oid else None
    if commit is None:
        return {}
    snapshot = plan_commit(repo, commit)
    forget_purged(repo)
    return {"snapshot": snapshot.pk, "commit": commit.oid.hex()}


def plan_commit(repo: Repo, commit: CommitRow) -> Snapshot:
    """The snapshot of a commit; made, and its work asked for, if there is none."""
    known = CommitSnapshot.objects.filter(repo=repo, commit=commit.oid).first()
    if known is not None:
        return known.snapshot
    planned = _look(repo, commit)
    with transaction.atomic():
        snapshot, is_new = Snapshot.objects.get_or_create(
            repo=repo,
            fingerprint=planned.fingerprint,
            pipeline_version=PIPELINE_VERSION,
            defaults=planned.row,
        )
        if is_new:
            _write(repo, snapshot, planned)
        else:
            _go_on(repo, snapshot)
        CommitSnapshot.objects.get_or_create(
            repo=repo, commit=commit.oid, defaults={"snapshot": snapshot}
        )
    return snapshot


@dataclass(frozen=True, slots=True)
class _Planned:
    """What the files and the card of a commit come to."""

    configs: Sequence[ConfigPlan]
    features: Mapping[str, Any]
    files: Mapping[str, EntryFacts]
    problem: Unresolvable | None = None

    @property
    def fingerprint(self) -> str:
        if self.problem is not None:
            return fingerprint([{"problem": self.problem.message}])
        return fingerprint(
            {
                "name": plan.name,
                "default": plan.is_default,
                "builder": plan.builder,
                "params": plan.params,
                "features": self.features.get(plan.name),
                "problem": plan.problem.message if plan.problem else None,
                "splits": [
                    [split.name, [[path, self.files[path].etag] for path in split.files]]
                    for split in plan.splits
                ],
            }
            for plan in self.configs
        )

    @property
    def row(self) -> dict[str, Any]:
        """The columns of the snapshot."""
        if self.problem is not None:
            code, error = _told(self.problem)
            return {"state": State.FAILED, "error_code": code, "error": error}
        taken = {path for plan in self.configs for split in plan.splits for path in split.files}
        return {"bytes_total": sum(self.files[path].size for path in taken)}


def _told(problem: Unresolvable) -> tuple[str, dict[str, Any]]:
    return problem.viewer_code, {"message": problem.message}


def _look(repo: Repo, commit: CommitRow) -> _Planned:
    found = [one for one in trees.list_all(repo.pk, commit, ROOT) if not one.is_folder]
    names = [one.path for one in found]
    try:
        _check_no_script(repo, names)
        card = card_of(repo, commit)
        by_path = {one.path: one for one in found}
        plans = resolve(names, card, lambda path: members_of(repo, by_path[path]))
        features = _card_features(card)
    except Unresolvable as problem:
        return _Planned((), {}, {}, problem)
    taken = {path for plan in plans for split in plan.splits for path in split.files}
    facts = trees.facts_of(repo.pk, [by_path[path] for path in sorted(taken)])
    return _Planned(plans, features, {one.path: one for one in facts})


def _check_no_script(repo: Repo, names: Sequence[str]) -> None:
    script = f"{repo.name}.py"
    if script in names:
        raise Unresolvable(
            "DatasetWithScriptNotSupportedError",
            f"Dataset scripts are no longer supported, but found {script}",
        )


def _card_features(card: Mapping[str, Any]) -> dict[str, Any]:
    """The features that the card gives each config."""
    given = card.get("dataset_info")
    infos = given if isinstance(given, list) else [given] if isinstance(given, dict) else []
    found = {}
    for info in infos:
        if isinstance(info, dict):
            name = str(info.get("config_name", "default"))
            found[name] = card_features(info.get("features"))
    return {name: features for name, features in found.items() if features}


def _write(repo: Repo, snapshot: Snapshot, planned: _Planned) -> None:
    for position, plan in enumerate(planned.configs):
        config = _config(snapshot, plan, planned, position)
        for order, split in enumerate(plan.splits):
            files = [planned.files[path] for path in split.files]
            row = Split.objects.create(
                config=config,
                name=split.name,
                ord=order,
                num_bytes_original=sum(file.size for file in files),
                state=config.state,
                error_code=config.error_code,
                error=config.error,
            )
            Source.objects.bulk_create(_sources(row, plan, files))
        if config.state != State.FAILED:
            jobs.request(EXPORT, params={"config": config.pk}, repo=repo, key=str(config.pk))
    if planned.configs:
        jobs.request(
            PREVIEW,
            params={"snapshot": snapshot.pk},
            repo=repo,
            key=str(snapshot.pk),
            priority=2,
        )
    else:
        jobs.request(PUBLISH, params={"snapshot": snapshot.pk}, repo=repo, key=str(snapshot.pk))


def _go_on(repo: Repo, snapshot: Snapshot) -> None:
    """Ask for what a known snapshot lacks: an older state that came back, jobs that were ended."""
    mine = Config.objects.filter(snapshot=snapshot)
    ended = mine.filter(state=State.FAILED, error_code=CANCELLED).values_list("pk", flat=True)
    begun = {"state": State.WAITING, "error_code": "", "error": None}
    Split.objects.filter(config__in=list(ended)).update(**begun)
    mine.filter(pk__in=list(ended)).update(**begun)
    lacking = mine.filter(state__in=[State.WAITING, State.RUNNING])
    keys = {str(pk) for pk in lacking.values_list("pk", flat=True)}
    waiting = Job.objects.filter(kind=EXPORT, key__in=keys, state__in=OPEN)
    for key in keys - set(waiting.values_list("key", flat=True)):
        jobs.request(EXPORT, params={"config": int(key)}, repo=repo, key=key)
    if not keys:
        jobs.request(PUBLISH, params={"snapshot": snapshot.pk}, repo=repo, key=str(snapshot.pk))


def _config(snapshot: Snapshot, plan: ConfigPlan, planned: _Planned, position: int) -> Config:
    problem = plan.problem
    if problem is None and plan.builder not in formats.SUPPORTED:
        problem = Unresolvable(
            "UnsupportedFormatError",
            f"Files of the format {plan.builder!r} are not shown here; they can be downloaded "
            "and streamed.",
        )
    features = planned.features.get(plan.name)
    schema = None
    if features and plan.builder in FORCED:
        try:
            schema = schema_of(features)
        except Unresolvable as bad:
            problem, features = problem or bad, None
    code, error = _told(problem) if problem else ("", None)
    return Config.objects.create(
        snapshot=snapshot,
        name=plan.name,
        ord=position,
        is_default=plan.is_default,
        builder=plan.builder,
        params=dict(plan.params),
        features=features,
        arrow_schema=schema,
        state=State.FAILED if problem else State.WAITING,
        error_code=code,
        error=error,
    )


def _sources(split: Split, plan: ConfigPlan, files: Sequence[EntryFacts]) -> list[Source]:
    if plan.builder in formats.FOLDERS:
        return batching.folder_sources(split, plan, files)
    return [
        Source(
            split=split,
            ord=order,
            path=file.path,
            oid=file.oid,
            sha256=file.large.sha256 if file.large else None,
            size=file.size,
        )
        for order, file in enumerate(files)
    ]
