"""Repos as they are named on the command line."""

from django.core.management.base import CommandError

from hub.models import Repo
from hub.names import RepoName
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
    found = Repo.objects.select_related("namespace").filter(
        namespace__name__iexact=name.namespace, name__iexact=name.name
    )
    if not found:
        raise CommandError(f"There is no repo called {name}.")
    return tuple(found)
