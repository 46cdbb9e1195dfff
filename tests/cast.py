"""The standing cast: Ada owns, Ben is in her organisation, Cleo is a stranger, Root is staff."""

from dataclasses import dataclass

from hub.models import Repo
from hub.names import RepoKind, RepoName
from hub.services import repos
from teams.models import Organisation, User
from teams.policies import Principal
from teams.roles import Role
from teams.services import accounts, organisations


@dataclass
class Cast:
    """Everybody, and what they work on."""

    ada: User
    ben: User
    cleo: User
    root: User
    acme: Organisation

    def repo(self, name: str = "ada/tiny", *, kind: str = "model", private: bool = False) -> Repo:
        return repos.create(
            kind=RepoKind(kind),
            name=RepoName.parse(name),
            by=signed_in(self.root),
            visibility="private" if private else "public",
        )


def signed_in(user: User, *, may_change: bool = True) -> Principal:
    return Principal(user=user, may_change=may_change)


def gather() -> Cast:
    ada, ben, cleo = (accounts.create_user(name=name, by=None) for name in ("ada", "ben", "cleo"))
    root = accounts.create_user(name="root", by=None, admin=True)
    acme = organisations.create(name="acme", owner=ada, by=ada)
    organisations.change_role(organisation=acme, user=ben, role=Role.WRITE, by=ada)
    return Cast(ada, ben, cleo, root, acme)
