"""Ask for a run: who may, of what, with which parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from hub.models import Repo
from hub.names import RepoKind, RepoName, RevisionName
from hub.policies import check_can, check_can_create_in
from hub.queries import history
from hub.queries.repos import find_repo, repo_for
from hub.services import jobs
from inference.errors import InputRejected
from inference.models import Run
from inference.protocols.families import Family
from inference.queries.served import served
from inference.training.recipes import About, about, recipes_for
from teams.errors import Unauthenticated
from teams.models import User
from teams.models.standing import Place
from teams.policies import Principal, check_signed_in
from teams.queries import namespace_named
from teams.roles import Action

KIND = "inference.train"
PRIORITY = 7
"""Whoever waits for a picture goes first."""
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be trained, in names as they came."""

    recipe: str = ""
    """Empty: the first that trains models like the base."""
    base_model: str
    base_revision: str = ""
    dataset: str
    dataset_revision: str = ""
    config: str = "default"
    train_split: str = "train"
    valid_split: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    output: str
    private: bool | None = None
    """None: private if base or dataset are not open to everybody."""


@transaction.atomic
def request(wish: Wish, *, by: Principal) -> Run:
    """Ask for a run; its job begins when a worker is free.

    Raises:
        RepoNotFound, GatedRepo: base or dataset are not there for ``by``.
        Forbidden: ``by`` may not write what it is to become.
        InputRejected: a parameter cannot be, or the recipe does not train such a model.
        ModelNotServed, UnsafeWeights: the base is no model of a kind that is loaded here.
    """
    user = _asker(by)
    base = repo_for(by, Action.REPO_READ, RepoKind.MODEL, RepoName.parse(wish.base_model))
    dataset = repo_for(by, Action.REPO_READ, RepoKind.DATASET, RepoName.parse(wish.dataset))
    model = served(base, history.resolve(base, _revision(base, wish.base_revision)))
    recipe = _recipe(wish.recipe, model.offer.family, base)
    values = recipe.values(wish.parameters)
    rows = history.resolve(dataset, _revision(dataset, wish.dataset_revision))
    for name in (wish.config, wish.train_split, wish.valid_split):
        if len(name) > _LONGEST or "\0" in name:
            raise InputRejected("No config or split has such a name.")
    output = _output(wish.output, by)
    run = Run.objects.create(
        by=user,
        recipe=recipe.name,
        values=values,
        base=base,
        base_name=base.full_name,
        base_commit=model.ref.commit,
        dataset=dataset,
        dataset_name=dataset.full_name,
        dataset_commit=rows.oid.hex(),
        config=wish.config or "default",
        train_split=wish.train_split or "train",
        valid_split=wish.valid_split,
        output=output,
        output_name=output.full_name if output else wish.output,
        is_private=_is_closed(base, dataset) if wish.private is None else wish.private,
    )
    run.job_id = jobs.request(KIND, params={"run": run.pk}, repo=output, by=by, priority=PRIORITY)
    run.save(update_fields=["job"])
    return run


def again(run: Run, *, by: Principal) -> Run:
    """Ask for the same once more: of the same commits, with the same parameters.

    Raises: as :func:`request`.
    """
    wish = Wish(
        recipe=run.recipe,
        base_model=run.base_name,
        base_revision=run.base_commit,
        dataset=run.dataset_name,
        dataset_revision=run.dataset_commit,
        config=run.config,
        train_split=run.train_split,
        valid_split=run.valid_split,
        parameters={name: value for name, value in run.values.items() if value is not None},
        output=run.output_name,
        private=run.is_private,
    )
    return request(wish, by=by)


def _asker(by: Principal) -> User:
    check_signed_in(by, Action.SIGN_IN_TO_WRITE)
    if by.user is None:
        raise Unauthenticated("You must sign in or send an access token.")
    return by.user


def _recipe(name: str, family: Family, base: Repo) -> About:
    fitting = [one for one in recipes_for(family) if name in {"", one.name}]
    if not fitting:
        title = f"{about(name).title} does not train" if name else "No recipe trains"
        raise InputRejected(f"{title} models like {base.full_name}.")
    return fitting[0]


def _revision(repo: Repo, text: str) -> RevisionName:
    return RevisionName.parse(text or repo.default_branch)


def _output(text: str, by: Principal) -> Repo | None:
    """The repo that it becomes a commit of, None if it is to be made; refused if ``by`` may not."""
    name = RepoName.parse(text)
    repo = find_repo(RepoKind.MODEL, name)
    if repo is not None:
        check_can(by, Action.REPO_WRITE, repo)
        return repo
    namespace = namespace_named(name.namespace)
    check_can_create_in(by, namespace, place=Place(namespace.pk, RepoKind.MODEL))
    return None


def _is_closed(*repos: Repo) -> bool:
    return any(repo.private or repo.gate for repo in repos)
