"""Repos as they are named on the command line."""

from django.core.management.base import CommandError

from hub.models import Repo
from hub.names import RepoKind, RepoName
from hub.queries.repos import find_repo
from teams.errors import Refusal


def repos_called(text: str) -> tuple[Repo, ...]:
    """The repos of that name, one of each kind at most.

    Raises:
        CommandError: there is none.
    """
    try:
        name = RepoName.parse(text)
    except Refusal as refusal:
        raise CommandError(refusal.message) from None
    found = tuple(repo for kind in RepoKind if (repo := find_repo(kind, name)))
    if not found:
        raise CommandError(f"There is no repo called {name}.")
    return found
