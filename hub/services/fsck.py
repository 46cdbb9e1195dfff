"""Check every invariant of the data, and repair what is safe to repair.

A check yields sentences; what it looked at stands beside them. Nothing is repaired that could hide
a loss: only numbers that can be counted again, cards that can be read again, and leftovers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from hub.models import Repo, RepoCard, sql
from hub.queries.fsck import (
    changes,
    counters,
    damage,
    history,
    large_files,
    leftovers,
    objects,
    xet,
)
from hub.queries.fsck.snapshot import snapshot
from hub.queries.store import blob_store
from hub.services import card_checks, downloads, sweeping

_REPOS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    check: str
    what: str
    repo: Repo | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at: one name or all of it, and whether to read every byte again."""

    repos: tuple[Repo, ...] | None = None
    deep: bool = False


def find(scope: Scope) -> Iterator[Finding]:
    """Look at everything in scope; findings come as they are made."""
    for repo in _repos(scope):
        yield from _about_repo(repo, deep=scope.deep)
    for repo_id in [None] if scope.repos is None else [repo.pk for repo in scope.repos]:
        yield from _about_bytes(repo_id, deep=scope.deep)
    if scope.repos is None:
        yield from _about_all()


def _repos(scope: Scope) -> Iterator[Repo]:
    if scope.repos is not None:
        yield from scope.repos
        return
    after = 0
    everything = Repo.objects.select_related("namespace").order_by("id")
    while page := list(everything.filter(id__gt=after)[:_REPOS_AT_A_TIME]):
        yield from page
        after = page[-1].pk


def _about_repo(repo: Repo, *, deep: bool) -> Iterator[Finding]:
    with snapshot():
        # Read again: since it was listed it may have moved on, or be gone.
        fresh = Repo.objects.select_related("namespace").filter(pk=repo.pk).first()
        found = list(_in_history(fresh, deep=deep)) if fresh else []
    if fresh:
        found += _named("card", card_checks.card_faults(fresh, deep=deep))
    for check, what in found:
        yield Finding(check, what, repo)


def _in_history(repo: Repo, *, deep: bool) -> Iterator[tuple[str, str]]:
    inventory, rows = objects.take_inventory(repo.pk), history.history_of(repo.pk)
    reach = history.reach(rows, inventory)
    yield from _named("object", inventory.faults)
    yield from _named("ref", history.ref_faults(repo, rows, inventory))
    yield from _named("commit", history.commit_faults(rows, inventory))
    yield from _named("line", history.line_faults(repo, rows))
    yield from _named("tree", reach.faults)
    yield from _named("pointer", large_files.pointer_faults(reach, inventory))
    yield from _named("change", changes.homeless_faults(repo.pk))
    yield from _named("counter", counters.counter_faults(repo))
    yield from _named("downloads", counters.download_faults(repo))
    if deep:
        yield from _named("change", changes.change_faults(rows, inventory))


def _about_bytes(repo_id: int | None, *, deep: bool) -> Iterator[Finding]:
    store = blob_store()
    for check, faults in (
        ("blob", large_files.blob_faults(store, repo_id, deep=deep)),
        ("xorb", xet.xorb_faults(store, repo_id, deep=deep)),
        ("file", xet.file_faults(store, repo_id, deep=deep)),
    ):
        yield from (Finding(check, what) for what in faults)


def _about_all() -> Iterator[Finding]:
    store, now = blob_store(), timezone.now()
    for check, faults in (
        ("damage", damage.known_damage()),
        ("orphan", leftovers.orphan_rows()),
        ("redirect", leftovers.shadowing_redirects()),
        ("unnamed", leftovers.unnamed_bytes(store, now)),
        ("staging", leftovers.stale_staging(store, now)),
    ):
        yield from (Finding(check, what) for what in faults)


def _named(check: str, faults: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((check, what) for what in faults)


def _recount(finding: Finding) -> None:
    if finding.repo is None:
        return
    with transaction.atomic():
        # With the row locked nobody counts on until we have written what we counted.
        sql.run("SELECT 1 FROM hub_repo WHERE id = %s FOR UPDATE", [finding.repo.pk])
        for column, query in counters.EXACT.items():
            sql.run(
                f"UPDATE hub_repo SET {column} = ({query}) WHERE id = %(repo)s",
                {"repo": finding.repo.pk},
            )


def _reindex(finding: Finding) -> None:
    if finding.repo is not None:
        with transaction.atomic():
            RepoCard.objects.get_or_create(repo=finding.repo)
            card_checks.index_again(finding.repo)


def _sweep(_finding: Finding) -> None:
    sweeping.sweep_staging()


def _recount_downloads(_finding: Finding) -> None:
    downloads.recount()


REPAIRS: dict[str, Callable[[Finding], None]] = {
    "card": _reindex,
    "counter": _recount,
    "downloads": _recount_downloads,
    "staging": _sweep,
}
"""Check -> how to repair what it found; all other findings need a person."""


def repair(finding: Finding) -> bool:
    """Repair what was found, if that is safe; say whether it was."""
    how = REPAIRS.get(finding.check)
    if how is not None:
        how(finding)
    return how is not None
