"""Repos and domains as they are named on the command line."""

from django.core.management.base import CommandError

from hub.models import Repo, XetDomain
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


def domains_of(names: list[str]) -> list[XetDomain]:
    """The Xet domains of these namespaces, or of all where none is named.

    Raises:
        CommandError: one of them has no domain, since nobody ever uploaded there by Xet.
    """
    everything = XetDomain.objects.select_related("namespace").order_by("namespace__name")
    if not names:
        return list(everything)
    found = {one.namespace.name.lower(): one for one in everything}
    if missing := [name for name in names if name.lower() not in found]:
        raise CommandError(f"Nobody uploaded by Xet to {', '.join(missing)}.")
    return [found[name.lower()] for name in names]
