"""The adapters that a call names: found, and allowed, as the model itself is."""

from dataclasses import replace
from typing import Any

from hub.errors import BadName
from hub.models import Repo
from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.queries import history, trees
from hub.queries.repos import repo_for
from hub.queries.scans import check_served, key_of
from inference.errors import InputRejected
from inference.protocols.adapters import FILE
from inference.protocols.tasks import Call
from inference.queries.served import Served
from teams.policies import Principal
from teams.roles import Action

_FILE = EntryPath.parse(FILE)


def with_adapters(model: Served, call: Call, reader: Principal) -> tuple[Served, Call]:
    """Answer a call whose adapters are known by commit, and the model with their repos.

    Raises:
        InputRejected: a name cannot be one, or the repo holds no adapter.
        RepoNotFound: it is not there, or not for ``reader``.
        Refusal: as :func:`hub.policies.check_can`.
    """
    named = call.values.get("adapters")
    if not named:
        return model, call
    found = [_found(one, reader) for one in named]
    adapters = [{**one, "repo": repo.full_name, "commit": commit} for one, repo, commit in found]
    repos = tuple(repo for _one, repo, _commit in found)
    return replace(model, adapters=repos), Call(call.task, {**call.values, "adapters": adapters})


def _found(one: dict[str, Any], reader: Principal) -> tuple[dict[str, Any], Repo, str]:
    try:
        name = RepoName.parse(one["repo"])
        revision = RevisionName.parse(one["commit"]) if one["commit"] else None
    except BadName as problem:
        raise InputRejected(f"adapters: {problem.message}") from None
    repo = repo_for(reader, Action.REPO_READ, RepoKind.MODEL, name)
    commit = history.resolve(repo, revision or RevisionName.parse(repo.default_branch))
    files = trees.find_many(repo.pk, commit, [_FILE])
    if not files:
        raise InputRejected(f"{repo.full_name} is no adapter: it has no {FILE}.")
    check_served(repo, *(key_of(facts) for facts in trees.facts_of(repo.pk, files)))
    return one, repo, commit.oid.hex()
