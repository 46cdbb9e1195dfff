"""Tabs that apps above add to the pages of repos; they register them when they start."""

from collections.abc import Callable
from dataclasses import dataclass

from hub.models import Repo, RepoCard


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedTab:
    """A tab at ``{repo}/{path}``, for repos of which ``shows`` is true."""

    key: str
    """What its page says as its ``tab``."""
    label: str
    path: str
    shows: Callable[[Repo, RepoCard], bool]
    """Asked on every page of every repo, so it must not ask the database."""


_added: list[AddedTab] = []


def register(tab: AddedTab) -> None:
    """Make a tab known, after those that are known already."""
    if tab not in _added:
        _added.append(tab)


def tabs_of(repo: Repo, card: RepoCard) -> list[AddedTab]:
    return [tab for tab in _added if tab.shows(repo, card)]
