"""Which refs may be pushed, by whom."""

from collections.abc import Mapping, Sequence

from hub.errors import BadName
from hub.git.refs import BRANCHES, PULL_REQUESTS, TAGS, RefUpdate
from hub.models import Repo
from hub.names import RevisionName
from hub.policies import check_can_write_to
from teams.errors import Conflict, Refusal
from teams.policies import Principal


class RefsRefused(Conflict):
    """Some refs cannot be moved, so none was."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{ref}: {reason}" for ref, reason in reasons.items()))
        self.reasons = reasons
        """For each ref that is at fault, why."""


def check_refs(repo: Repo, updates: Sequence[RefUpdate], by: Principal) -> None:
    """Refuse what no state of the repo would allow.

    Raises:
        RefsRefused: a ref may not be moved so, or not by them.
    """
    problems = {
        update.ref: _problem_of(repo, update) or _lack_of_rights(repo, update.ref, by)
        for update in updates
    }
    if found := {ref: problem for ref, problem in problems.items() if problem}:
        raise RefsRefused(found)


def _lack_of_rights(repo: Repo, ref: str, by: Principal) -> str:
    try:
        check_can_write_to(by, repo, ref)
    except Refusal:
        return "not allowed: you may only push to pull requests of your own"
    return ""


def _problem_of(repo: Repo, update: RefUpdate) -> str:
    kinds = (BRANCHES, TAGS, PULL_REQUESTS)
    prefix = next((prefix for prefix in kinds if update.ref.startswith(prefix)), None)
    if prefix is None:
        return "not allowed: only branches, tags and pull requests can be pushed"
    if prefix == PULL_REQUESTS:
        return _problem_of_pull_request(update)
    return _problem_of_name(repo, update, prefix)


def _problem_of_name(repo: Repo, update: RefUpdate, prefix: str) -> str:
    try:
        RevisionName.parse(update.ref.removeprefix(prefix))
    except BadName:
        return "not a valid name"
    if update.new is None and update.ref == BRANCHES + repo.default_branch:
        return "deletion of the default branch is not allowed"
    if update.old is None and update.new is None:
        return "does not exist"
    return ""


def _problem_of_pull_request(update: RefUpdate) -> str:
    if update.old is None:
        return "there is no such pull request; open it first"
    return "" if update.new else "a pull request cannot be deleted; close it"
