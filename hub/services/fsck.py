"""Check every invariant of the data, and repair what is safe to repair.

A check yields sentences; what it looked at stands beside them. Nothing is repaired that could hide
a loss: only what can be counted, read or computed again from what is there, and leftovers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from hub.errors import BadObject, BlobNotFound
from hub.models import Repo, RepoBlob, RepoCard, XetRepoFile, sql
from hub.queries.fsck import (
    changes,
    counters,
    damage,
    events,
    history,
    large_files,
    leftovers,
    objects,
    shards,
    xet,
)
from hub.queries.fsck.snapshot import snapshot
from hub.queries.store import blob_store
from hub.queries.stored import SHARDS, digest_in
from hub.services import card_checks, downloads, scrubbing, stored_bytes, sweeping, xet_shards
from hub.storage.digests import xorb_index_key
from hub.xet.hashing import to_text
from teams.queries.audit_faults import audit_faults

_REPOS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    check: str
    what: str
    repo: Repo | None = None
    key: str = ""
    """Where in the store the bytes lie that it is about, if it is about those alone."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at: one name or all of it, and whether to read every byte again."""

    repos: tuple[Repo, ...] | None = None
    deep: bool = False


def find(scope: Scope, *, now: datetime | None = None) -> Iterator[Finding]:
    """Look at everything in scope; findings come as they are made. Age is as of ``now``."""
    for repo in _repos(scope):
        yield from _about_repo(repo, deep=scope.deep)
    for repo_id in [None] if scope.repos is None else [repo.pk for repo in scope.repos]:
        yield from _about_bytes(repo_id, deep=scope.deep)
    if scope.repos is None:
        yield from _about_all(now or timezone.now())


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
    yield from _named("garbage", history.garbage_faults(repo, rows, inventory, reach))
    yield from _named("pointer", large_files.pointer_faults(reach, inventory))
    yield from _named("note", large_files.note_faults(repo.pk))
    yield from _named("change", changes.homeless_faults(repo.pk))
    yield from _named("counter", counters.counter_faults(repo))
    yield from _named("downloads", counters.download_faults(repo))
    yield from _named("event", events.event_faults(repo))
    if deep:
        yield from _named("change", changes.change_faults(rows, inventory))


def _about_bytes(repo_id: int | None, *, deep: bool) -> Iterator[Finding]:
    store = blob_store()
    for check, faults in (
        ("blob", large_files.blob_faults(store, repo_id, deep=deep)),
        ("xorb", xet.xorb_faults(store, repo_id, deep=deep)),
        ("shard", shards.shard_faults(store, repo_id, deep=deep)),
        ("index", xet.index_faults(store, repo_id)),
    ):
        yield from (Finding(check, what, key=key) for key, what in faults)
    for what in xet.file_faults(store, repo_id, deep=deep):
        yield Finding("file", what)


def _about_all(now: datetime) -> Iterator[Finding]:
    store = blob_store()
    for check, faults in (
        ("damage", damage.known_damage()),
        ("orphan", leftovers.orphan_rows()),
        ("redirect", leftovers.shadowing_redirects()),
        ("staging", leftovers.stale_staging(store, now)),
        ("audit", map(str, audit_faults(now=now))),
    ):
        yield from (Finding(check, what) for what in faults)
    for key in leftovers.unnamed_keys(store, now):
        check = "unnamed shard" if key.startswith(SHARDS) else "unnamed"
        yield Finding(check, f"no row names {key}", key=key)


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


def _note_garbage(finding: Finding) -> None:
    """It is collected when its turn comes."""
    if finding.repo is not None:
        Repo.objects.filter(pk=finding.repo.pk).update(dirty=True)


def _ask_again(finding: Finding) -> None:
    """Let garbage collection ask anew which large files have a pointer, and count days from now."""
    if finding.repo is not None:
        for model in (RepoBlob, XetRepoFile):
            rows = model.objects.filter(repo=finding.repo, is_named=True)
            rows.update(is_named=False, touched_at=timezone.now())


def _drop(finding: Finding) -> None:
    """Under the lock that every upload of these bytes takes, so none is told that they are here."""
    stored_bytes.unname([finding.key])
    stored_bytes.drop_unnamed()


def _take_in(finding: Finding) -> None:
    """It may be all that is left of what somebody registered: now it is collected in its time."""
    xet_shards.take_in(finding.key)


def _rebuild_index(finding: Finding) -> None:
    """Let the xorb be read again: an index that does not fit it is then written anew.

    Raises:
        BlobNotFound: it is damaged itself, or gone.
    """
    xorb = digest_in(finding.key)
    scrubbing.look_at_xorb(xorb)
    if blob_store().size(xorb_index_key(to_text(xorb))) is None:
        raise BlobNotFound


REPAIRS: dict[str, Callable[[Finding], None]] = {
    "card": _reindex,
    "counter": _recount,
    "downloads": _recount_downloads,
    "garbage": _note_garbage,
    "index": _rebuild_index,
    "note": _ask_again,
    "staging": _sweep,
    "unnamed": _drop,
    "unnamed shard": _take_in,
}
"""Check -> how to repair what it found; all other findings need a person."""
BYTES = frozenset({"blob", "shard", "xorb"})
"""Checks of bytes that nobody can make again."""


def repair(finding: Finding) -> bool:
    """Repair what was found, if that is safe; say whether it was."""
    how = REPAIRS.get(finding.check)
    if finding.check in BYTES:
        # What is wrong is served to nobody from now on; who has it has to bring it back.
        scrubbing.look_at_kind(finding.check, digest_in(finding.key))
    if how is None:
        return False
    try:
        how(finding)
    except (BadObject, BlobNotFound):
        return False
    return True
