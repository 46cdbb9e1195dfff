"""Is a repo's card what indexing it again would make of it?"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from hub.git.refs import BRANCHES
from hub.models import Repo, RepoCard, sql
from hub.services import cards
from teams.errors import Refusal


def card_faults(repo: Repo, *, deep: bool) -> Iterator[str]:
    """Every repo has a card; deep: it says what the default branch says now."""
    if not RepoCard.objects.filter(repo=repo).exists():
        if Repo.objects.filter(pk=repo.pk).exists():
            yield "the repo has no card"
        return
    if not deep:
        return
    try:
        stale = _stale_fields(repo)
    except Refusal as refusal:
        yield f"the card cannot be read again: {refusal.message}"
        return
    if stale:
        yield f"the card is out of date in {', '.join(stale)}"


def _stale_fields(repo: Repo) -> list[str]:
    """Index the card again, compare, and take it back."""
    with transaction.atomic():
        _lock(repo)
        before = _values(repo)
        index_again(repo)
        after = _values(repo)
        transaction.set_rollback(True)
    return sorted(name for name, value in before.items() if after[name] != value)


def index_again(repo: Repo) -> None:
    """Bring the card up to the head of the default branch, in the caller's transaction."""
    _lock(repo)
    ref = BRANCHES + repo.default_branch
    row = sql.row("SELECT oid FROM git_ref WHERE repo_id = %s AND name = %s", [repo.pk, ref])
    if row is not None:
        cards.index(repo, row[0], None)


def _lock(repo: Repo) -> None:
    """Nobody publishes until we are done."""
    sql.run("SELECT 1 FROM hub_repo WHERE id = %s FOR NO KEY UPDATE", [repo.pk])


def _values(repo: Repo) -> dict[str, Any]:
    return dict(RepoCard.objects.filter(repo=repo).values()[0])
