"""What every page of a repo shows beside its files: the card's row, refs, a like, descriptions."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q
from django.db.models.functions import Lower

from hub.git.refs import BRANCHES, TAGS
from hub.models import Like, Repo, RepoCard, sql
from hub.names import RepoKind
from hub.policies import visible_to
from teams.models import User
from teams.policies import Principal

MAX_REFS = 500
"""More names than anybody scrolls through; any other can still be typed into the address."""
MAX_DESCRIPTION = 240


def card_of(repo: Repo) -> RepoCard:
    """The card's row without its long texts."""
    return RepoCard.objects.defer("body", "search", "name_grams").get(repo=repo)


def is_liked(repo: Repo, user: User | None) -> bool:
    return user is not None and Like.objects.filter(repo=repo, user=user).exists()


@dataclass(frozen=True, slots=True)
class RefNames:
    """Branches, the default one first, and tags."""

    branches: list[str]
    tags: list[str]


def ref_names(repo: Repo) -> RefNames:
    """Name the branches and tags of ``repo``, in one query however many there are."""
    rows = sql.rows(
        "SELECT name FROM git_ref WHERE repo_id = %s AND (starts_with(name, %s) "
        "OR starts_with(name, %s)) ORDER BY name LIMIT %s",
        [repo.pk, BRANCHES, TAGS, MAX_REFS],
    )
    names = [name for (name,) in rows]
    branches = [name.removeprefix(BRANCHES) for name in names if name.startswith(BRANCHES)]
    tags = [name.removeprefix(TAGS) for name in names if name.startswith(TAGS)]
    return RefNames(sorted(branches, key=lambda name: name != repo.default_branch), tags)


def descriptions_of(repo_ids: Iterable[int]) -> dict[int, str]:
    """The beginnings of what cards say of themselves, by repo id, in one query."""
    rows = sql.rows(
        "SELECT repo_id, left(description, %s) FROM hub_repocard WHERE repo_id = ANY(%s)",
        [MAX_DESCRIPTION, list(repo_ids)],
    )
    return dict(rows)


def short_cards_of(repo_ids: Iterable[int]) -> dict[int, RepoCard]:
    """What lists show of cards, without their text, by repo id, in one query."""
    columns = ("description", "tags", "pipeline_tag", "library_name", "parameters")
    return RepoCard.objects.only(*columns).in_bulk(list(repo_ids))


def visible_names(
    names: Iterable[tuple[RepoKind, str]], principal: Principal
) -> set[tuple[RepoKind, str]]:
    """Those of the (kind, lower-case full name) pairs that ``principal`` may know of."""
    wanted = [(kind, *name.split("/")) for kind, name in names if name.count("/") == 1]
    if not wanted:
        return set()
    one_of = reduce(
        or_,
        (Q(kind=kind, lower_owner=namespace, lower_name=name) for kind, namespace, name in wanted),
    )
    # Lower, not iexact, which compares in upper case: the unique index is in lower case.
    repos = Repo.objects.alias(lower_owner=Lower("namespace__name"), lower_name=Lower("name"))
    found = repos.filter(visible_to(principal), one_of)
    return {
        (RepoKind(kind), f"{namespace}/{name}".lower())
        for kind, namespace, name in found.values_list("kind", "namespace__name", "name")
    }
