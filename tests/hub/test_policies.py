"""The rule of access against a table that was written by hand, cell by cell."""

import csv
from itertools import product
from pathlib import Path

import pytest

from hub.errors import GatedRepo, RepoNotFound
from hub.models import Repo
from hub.policies import check_can, visible_to
from teams.errors import Forbidden, Refusal, Unauthenticated
from teams.policies import ANONYMOUS, Principal
from teams.roles import Action, Role
from teams.services import organisations
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db

TABLE = list(
    csv.DictReader((Path(__file__).parents[1] / "teams/access_table.csv").read_text().splitlines())
)
ACTIONS = {
    "see": Action.REPO_SEE,
    "read": Action.REPO_READ,
    "like": Action.REPO_LIKE,
    "discuss": Action.REPO_DISCUSS,
    "propose": Action.REPO_PROPOSE,
    "write": Action.REPO_WRITE,
    "manage": Action.REPO_MANAGE,
}
WORDS: dict[type[Refusal], str] = {
    RepoNotFound: "hidden",
    GatedRepo: "gated",
    Unauthenticated: "sign-in",
    Forbidden: "no",
}


def repo_in_state(cast: Cast, state: str) -> Repo:
    repo = cast.repo("acme/tiny", private=state == "private")
    Repo.objects.filter(pk=repo.pk).update(gate="manual" if state == "gated" else "")
    return Repo.objects.select_related("namespace").get(pk=repo.pk)


def principal_called(cast: Cast, name: str, credential: str, repo: Repo) -> Principal:
    if name == "anonymous":
        return ANONYMOUS
    if name == "staff":
        return signed_in(cast.root, may_change=credential == "write")
    if name == "creator":
        Repo.objects.filter(pk=repo.pk).update(created_by=cast.cleo)
        repo.created_by = cast.cleo
    if name != "stranger":
        role = Role.CONTRIBUTOR if name == "creator" else Role[name.upper()]
        organisations.change_role(organisation=cast.acme, user=cast.cleo, role=role, by=None)
    return signed_in(cast.cleo, may_change=credential == "write")


def answer(principal: Principal, action: Action, repo: Repo) -> str:
    try:
        check_can(principal, action, repo)
    except Refusal as refusal:
        return WORDS[type(refusal)]
    return "yes"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(list(row.values())[:3]))
def test_the_rule_answers_as_the_table_says(cast: Cast, row: dict[str, str]) -> None:
    repo = repo_in_state(cast, row["repo"])
    principal = principal_called(cast, row["principal"], row["credential"], repo)

    found = {name: answer(principal, action, repo) for name, action in ACTIONS.items()}

    assert found == {name: row[name] for name in ACTIONS}


def test_lists_show_exactly_what_the_rule_lets_one_see(cast: Cast) -> None:
    for owner, private in product(("ada", "ben", "acme"), (False, True)):
        cast.repo(f"{owner}/r{private}", private=private)
    everybody = [ANONYMOUS, *(signed_in(u) for u in (cast.ada, cast.ben, cast.cleo, cast.root))]

    for principal in everybody:
        listed = set(Repo.objects.filter(visible_to(principal)))
        repos = Repo.objects.select_related("namespace")
        assert listed == {r for r in repos if answer(principal, Action.REPO_SEE, r) == "yes"}
