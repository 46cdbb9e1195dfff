"""Collect what nobody can reach any more: git objects, large files, xorbs; and say what it was.

Each step looks for itself and may be repeated, be cut off, or run twice at once. ``now`` is the
moment from which all grace counts back.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from hub.crashpoints import Point, reach
from hub.git.objects import Kind
from hub.models import Repo
from hub.queries.marks import Pile
from hub.services import attachments, collect_bytes, collect_files, collect_git
from hub.services.collect_bytes import BLOBS, SHARDS, XORBS
from hub.services.collect_files import Dropped

log = structlog.get_logger(__name__)

BUDGET = timedelta(minutes=10)
"""After so long no further repo is begun."""
_NOTHING = Dropped(0, 0)


@dataclass(frozen=True, slots=True)
class RepoReport:
    """What was collected in one repo, or would be."""

    repo_id: int
    objects: dict[Kind, Pile] = field(default_factory=dict)
    files: Dropped = _NOTHING
    """Large files that the repo forgot. Their bytes stay until nobody holds them."""
    problem: str = ""
    """Why its objects were left as they are, if that is so."""

    @property
    def nbytes(self) -> int:
        return sum(pile.nbytes for pile in self.objects.values())


@dataclass(frozen=True, slots=True)
class BytesReport:
    """What became of bytes that no repo needs."""

    files: Dropped
    """Files in Xet form that no repo holds."""
    attachments: Dropped
    """Those that no comment shows."""
    condemned_blobs: Dropped
    deleted_blobs: Dropped
    condemned_xorbs: Dropped
    deleted_xorbs: Dropped
    condemned_shards: Dropped
    deleted_shards: Dropped

    @property
    def condemned(self) -> tuple[Dropped, ...]:
        return self.condemned_blobs, self.condemned_xorbs, self.condemned_shards

    @property
    def deleted(self) -> tuple[Dropped, ...]:
        return self.deleted_blobs, self.deleted_xorbs, self.deleted_shards


def collect_repos(
    *,
    now: datetime,
    repos: Iterable[Repo] | None = None,
    budget: timedelta = BUDGET,
    dry_run: bool = False,
) -> Iterator[RepoReport]:
    """Collect objects and forgotten files of these repos, or of all; tell of each as it is done.

    A repo that was begun is finished, so that the largest is not begun for ever.
    """
    chosen = None if repos is None else {repo.pk for repo in repos}
    ends = time.monotonic() + budget.total_seconds()
    waiting = _waiting(now, chosen)
    for repo_id in waiting:
        if time.monotonic() > ends:
            log.info("collection_out_of_time", repos=len(waiting))
            return
        yield _collect_repo(repo_id, now, is_dirty=waiting[repo_id], dry_run=dry_run)


def _waiting(now: datetime, chosen: set[int] | None) -> dict[int, bool]:
    """The repos in which there is something to do, and whether that is objects."""
    found = dict.fromkeys(collect_git.dirty_repos(), True)
    for pk in collect_files.waiting_repos(now):
        found.setdefault(pk, False)
    return {pk: is_dirty for pk, is_dirty in found.items() if chosen is None or pk in chosen}


def _collect_repo(repo_id: int, now: datetime, *, is_dirty: bool, dry_run: bool) -> RepoReport:
    swept = collect_git.Swept({})
    if is_dirty:
        swept = collect_git.sweep(repo_id, now=now, dry_run=dry_run)
        reach(Point.COLLECT_COMMITTED)
    files = collect_files.forget_unnamed(repo_id, now=now, dry_run=dry_run)
    return RepoReport(repo_id, swept.freed, files, swept.problem)


def collect_bytes_of_nobody(*, now: datetime, dry_run: bool = False) -> BytesReport:
    """Condemn and delete bytes. With ``dry_run`` it says what is due as things stand now."""

    def all_kinds(step: Callable[..., Dropped]) -> list[Dropped]:
        return [step(kept, now=now, dry_run=dry_run) for kept in (BLOBS, XORBS, SHARDS)]

    files = collect_files.delete_unheld(dry_run=dry_run)
    shown_nowhere = attachments.collect_unshown(now=now, dry_run=dry_run)
    # What is condemned in this run has its respite before it; so the order makes no difference.
    condemned, deleted = all_kinds(collect_bytes.condemn), all_kinds(collect_bytes.delete)
    each = [one for pair in zip(condemned, deleted, strict=True) for one in pair]
    return BytesReport(files, shown_nowhere, *each)


def collect(*, now: datetime) -> None:
    """Collect everything that is due; what was found goes to the log."""
    for report in collect_repos(now=now):
        if report.objects or report.files.rows or report.problem:
            log.info(
                "repo_collected",
                repo=report.repo_id,
                objects=sum(pile.objects for pile in report.objects.values()),
                nbytes=report.nbytes,
                files=report.files.rows,
                problem=report.problem,
            )
    done = collect_bytes_of_nobody(now=now)
    log.info(
        "bytes_collected",
        condemned=sum(one.rows for one in done.condemned),
        deleted=sum(one.rows for one in done.deleted),
        nbytes=sum(one.nbytes for one in done.deleted),
    )
