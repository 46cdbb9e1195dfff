"""Repos with cards, as rows: no commit behind them, but findable as any other."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from hub.models import Repo, RepoCard
from hub.services import cards
from teams.models import Namespace, User

_numbers = count()


def make_owner(name: str = "") -> Namespace:
    name = name or f"owner{next(_numbers)}"
    return Namespace.objects.get_or_create(name=name, defaults={"kind": "user"})[0]


def make_user(name: str = "") -> User:
    """A user who cannot sign in with a password."""
    return User.objects.create(namespace=make_owner(name))


def make_repo(name: str = "", card: dict[str, Any] | None = None, **columns: Any) -> Repo:
    """A repo by its full name, with what its ``card`` and its own ``columns`` say."""
    owner, _, short = name.rpartition("/")
    repo = Repo.objects.create(
        namespace=make_owner(owner),
        name=short or f"repo{next(_numbers)}",
        **{"kind": "model", **columns},
    )
    RepoCard.objects.create(repo=repo, **card or {})
    cards.index_name(repo)
    return repo


def make_many(repos: Sequence[Repo], cards_of: Sequence[RepoCard]) -> None:
    """Save many repos with a card each, in few statements, findable as any other."""
    times = [(repo.created_at, repo.last_modified) for repo in repos]
    Repo.objects.bulk_create(repos)
    for repo, (created_at, last_modified) in zip(repos, times, strict=True):
        repo.created_at, repo.last_modified = created_at, last_modified
    Repo.objects.bulk_update(repos, ["created_at", "last_modified"], batch_size=500)
    for repo, card in zip(repos, cards_of, strict=True):
        card.repo = repo
    RepoCard.objects.bulk_create(cards_of)
    for repo in repos:
        cards.index_name(repo)
