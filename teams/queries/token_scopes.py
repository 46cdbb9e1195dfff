"""What the things are called that fine-grained tokens name; of repos another package knows it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from teams.models import AccessToken, Namespace, TokenScope
from teams.names import public_id
from teams.policies import Principal
from teams.roles import Permission


@dataclass(frozen=True, slots=True)
class RepoLabel:
    """A repo as tokens name it."""

    pk: int
    namespace_id: int
    kind: str
    name: str
    """``namespace/name``."""


class RepoDirectory(Protocol):
    """Where repos are looked up; whoever keeps repos offers one by :func:`offer`."""

    def labels(self, keys: Iterable[int]) -> Mapping[int, RepoLabel]:
        """Those that still exist, by number."""

    def of(self, principal: Principal, limit: int) -> Sequence[RepoLabel]:
        """The repos of namespaces in which ``principal`` has a role, last changed first."""

    def called(self, text: str, principal: Principal) -> RepoLabel:
        """The repo of that name, with ``datasets/`` or ``spaces/`` before it if it is one.

        Raises:
            NotFound: there is none, or none that ``principal`` may know of.
        """


_directories: list[RepoDirectory] = []


def offer(directory: RepoDirectory) -> None:
    """Let repos be looked up in ``directory``."""
    _directories[:] = [directory]


def directory() -> RepoDirectory:
    return _directories[0]


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that a token names, and what it is allowed there."""

    kind: str
    """``user``, ``org``, or the kind of a repo."""
    public_id: str
    name: str
    permissions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Scopes:
    """All that a fine-grained token is allowed, as people and clients read it."""

    everywhere: Sequence[str]
    entities: Sequence[Entity]


def scopes_of(tokens: Sequence[AccessToken]) -> Mapping[int, Scopes]:
    """The scopes of some tokens by the token's number, in two queries; repos that are gone are left
    out.
    """
    keys = [token.pk for token in tokens]
    rows = list(
        TokenScope.objects.filter(token_id__in=keys).select_related("namespace").order_by("pk")
    )
    repos = {row.repo_id for row in rows if row.repo_id is not None}
    labels = directory().labels(repos) if repos else {}
    return {key: _scopes([row for row in rows if row.token_id == key], labels) for key in keys}


def _scopes(rows: Sequence[TokenScope], labels: Mapping[int, RepoLabel]) -> Scopes:
    everywhere: list[str] = []
    entities: list[Entity] = []
    for row in rows:
        if row.namespace is None:
            everywhere += row.permissions
        elif row.repo_id is None:
            entities.append(_namespace(row.namespace, row.permissions))
        elif label := labels.get(row.repo_id):
            entities.append(Entity(label.kind, public_id(label.pk), label.name, row.permissions))
    return Scopes(everywhere, entities)


def _namespace(namespace: Namespace, permissions: Sequence[str]) -> Entity:
    kind = "user" if namespace.kind == Namespace.Kind.USER else "org"
    return Entity(kind, public_id(namespace.pk), namespace.name, permissions)


def reads_gated(scopes: Scopes) -> bool:
    """What clients call ``canReadGatedRepos``."""
    return Permission.GATED_READ in scopes.everywhere
