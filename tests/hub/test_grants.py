"""Grants, teams and resource groups: against a table that was written by hand, and list by list."""

import csv
import random
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from django.utils import timezone

from hub.models import Repo, sql
from hub.policies import visible_to as visible_rows
from hub.queries.repo_filter import visible_to
from hub.queries.repo_rows import TABLES
from teams.models import Grant, Membership, ResourceGroup, Team, TeamMember, User
from teams.names import KINDS
from teams.policies import ANONYMOUS, Principal
from teams.roles import Action, Role
from teams.services import organisations
from tests.cast import Cast, signed_in
from tests.factories.hub import make_repo, make_user
from tests.hub.test_policies import ACTIONS, answer

pytestmark = pytest.mark.django_db

HOME = Path(__file__).parents[1] / "teams"
TABLE = list(csv.DictReader((HOME / "grants_table.csv").read_text().splitlines()))
COLUMNS = ACTIONS | {"protect": Action.REPO_PROTECT}
EXPIRED: dict[str, object] = {"expires_at": timezone.now() - timedelta(seconds=1)}


class World:
    """Cleo, who is whom a row of the table says, and the repo that it names."""

    def __init__(self, cast: Cast, state: str) -> None:
        self.cast = cast
        self.acme = cast.acme
        self.group = ResourceGroup.objects.create(namespace=cast.acme.namespace, name="Secret")
        repo = cast.repo("acme/tiny", private=state in {"private", "grouped"})
        Repo.objects.filter(pk=repo.pk).update(
            gate="manual" if state.endswith("gated") else "",
            resource_group=self.group if state.startswith("grouped") else None,
        )
        self.repo = Repo.objects.select_related("namespace").get(pk=repo.pk)

    def principal(self, name: str, credential: str) -> Principal:
        if name == "anonymous":
            return ANONYMOUS
        if name == "staff":
            return signed_in(self.cast.root)
        kind, _, rest = name.partition("-")
        getattr(self, f"be_{kind}")(rest)
        return signed_in(self.cast.cleo, may_change=credential == "write")

    def join(self, role: Role) -> Membership:
        return organisations.change_role(
            organisation=self.acme, user=self.cast.cleo, role=role, by=None
        )

    def give(self, role: Role, **what: object) -> None:
        Grant.objects.create(
            **{"namespace": self.acme.namespace, "role": role.value, "user": self.cast.cleo, **what}
        )

    def create(self) -> None:
        Repo.objects.filter(pk=self.repo.pk).update(created_by=self.cast.cleo)
        self.repo.created_by = self.cast.cleo

    def be_stranger(self, _rest: str) -> None:
        pass

    def be_org(self, rest: str) -> None:
        if rest == "creator":
            self.create()
        self.join(Role.CONTRIBUTOR if rest == "creator" else Role[rest.upper()])

    def be_group(self, rest: str) -> None:
        self.join(Role.NO_ACCESS)
        more: dict[str, object] = {"group": self.group}
        if rest == "creator":
            self.create()
        if rest == "datasets":
            more["kinds"] = ["dataset"]
        if rest == "expired":
            more |= EXPIRED
        roles = {"creator": "contributor", "datasets": "write", "expired": "write"}
        self.give(Role[roles.get(rest, rest).upper()], **more)

    def be_team(self, rest: str) -> None:
        member = self.join(Role.NO_ACCESS)
        team = Team.objects.create(organisation=self.acme, name="Ink")
        TeamMember.objects.create(team=team, membership=member)
        on: dict[str, dict[str, object]] = {
            "in-group": {"group": self.group},
            "left": {"group": self.group},
            "on-repo": {"repo_id": self.repo.pk},
            "on-all": {},
            "on-datasets": {"kinds": ["dataset", "space"]},
        }
        self.give(Role.WRITE, team=team, user=None, **on[rest])
        if rest == "left":
            member.delete()

    def be_guest(self, rest: str) -> None:
        self.join(Role.NO_ACCESS)
        other = self.cast.repo("acme/other", private=True)
        elsewhere: dict[str, object] = {"repo_id": other.pk}
        more = {"elsewhere": elsewhere, "expired": EXPIRED}.get(rest, {})
        role = Role[rest.upper()] if rest in {"read", "write"} else Role.WRITE
        self.give(role, **{"repo_id": self.repo.pk, **more})

    def be_outside(self, rest: str) -> None:
        self.give(Role[rest.upper()], repo_id=self.repo.pk)

    def be_reader(self, _rest: str) -> None:
        self.join(Role.READ)
        self.give(Role.WRITE, repo_id=self.repo.pk)

    def be_writer(self, _rest: str) -> None:
        self.join(Role.WRITE)
        self.give(Role.READ, repo_id=self.repo.pk)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(list(row.values())[:3]))
def test_grants_give_what_the_table_says(cast: Cast, row: dict[str, str]) -> None:
    world = World(cast, row["repo"])
    principal = world.principal(row["principal"], row["credential"])

    found = {name: answer(principal, action, world.repo) for name, action in COLUMNS.items()}

    assert found == {name: row[name] for name in COLUMNS}


def _crowd(chance: random.Random) -> list[User]:
    """Users, organisations, teams, groups and repos, tied together by chance."""
    users = [make_user(f"user{n}") for n in range(6)]
    for number in range(3):
        owner = users[number]
        organisation = organisations.create(name=f"org{number}", owner=owner, by=owner)
        members = [
            organisations.change_role(
                organisation=organisation, user=user, role=chance.choice(list(Role)), by=None
            )
            for user in users[3:]
            if chance.random() < 0.6
        ]
        space = organisation.namespace
        groups = [ResourceGroup.objects.create(namespace=space, name=f"g{n}") for n in range(2)]
        repos = [
            make_repo(
                f"org{number}/r{place}",
                kind=chance.choice(KINDS),
                visibility=visibility,
                resource_group=group,
            )
            for place, (visibility, group) in enumerate(
                product(["public", "private", "private"], [None, *groups])
            )
        ]
        teams = [Team.objects.create(organisation=organisation, name=f"t{n}") for n in range(2)]
        for team, member in product(teams, members):
            if chance.random() < 0.5:
                TeamMember.objects.create(team=team, membership=member)
        whom = [{"user": user} for user in users] + [{"team": team} for team in teams]
        on = [{"group": group} for group in groups] + [{"repo_id": repo.pk} for repo in repos]
        for subject, thing in product(whom, [*on, {}]):
            if chance.random() < 0.15 and (thing or "team" in subject):
                Grant.objects.create(
                    namespace=space,
                    role=chance.choice([Role.READ, Role.CONTRIBUTOR, Role.WRITE]).value,
                    kinds=chance.sample(KINDS, chance.randint(1, 3)),
                    expires_at=timezone.now() + timedelta(hours=chance.choice([-1, 1])),
                    **subject,
                    **thing,
                )
    return users


@pytest.mark.parametrize("seed", range(4))
def test_lists_show_what_the_rule_shows_whatever_was_granted(cast: Cast, seed: int) -> None:
    users = _crowd(random.Random(seed))
    repos = list(Repo.objects.select_related("namespace"))
    assert Grant.objects.exists()

    for reader in [ANONYMOUS, *map(signed_in, [*users, cast.root])]:
        right = {repo.pk for repo in repos if answer(reader, Action.REPO_SEE, repo) == "yes"}
        where, values = visible_to(reader)
        by_hand = {pk for (pk,) in sql.rows(f"SELECT r.id FROM {TABLES} WHERE {where}", values)}
        listed = set(Repo.objects.filter(visible_rows(reader)).values_list("pk", flat=True))

        assert listed == right
        assert by_hand == right
