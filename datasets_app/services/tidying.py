"""Tidy: end what nobody works on any more, and delete the rows of what is gone for good.

A snapshot goes when a file of it was deleted for good, or when no branch or tag came to it for
thirty days. With it go what was computed of it and the refs that hold its bytes, so that these are
collected like those of any commit that nobody has.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from datasets_app.errors import UnreadableFile
from datasets_app.models import CommitSnapshot, Config, Shard, Snapshot, State
from datasets_app.queries.sources import purged_sources
from datasets_app.services import completing
from datasets_app.services.kinds import CANCELLED, EXPORT, PLAN, PUBLISH
from datasets_app.services.publishing import let_go_of
from hub.git.refs import BRANCHES, TAGS
from hub.models import Job, PurgedFile, Repo
from hub.queries import history
from hub.services import blobs, jobs

KEPT = timedelta(days=30)
_AT_ONCE = 500
_WHY = {
    Job.State.CANCELLED: (CANCELLED, "The conversion was cancelled. The next commit begins anew."),
    Job.State.FAILED: ("UnexpectedApiError", "The conversion failed. The hub's log says why."),
}


def settle_ended() -> None:
    """Say of each config whose job is over that it is; ask anew for one that has no job at all."""
    running = Config.objects.filter(state__in=[State.WAITING, State.RUNNING])
    for config in running.select_related("snapshot__repo__namespace").order_by("pk")[:_AT_ONCE]:
        key = str(config.pk)
        job = Job.objects.filter(kind=EXPORT, key=key).order_by("-pk").first()
        if job is None:
            repo = config.snapshot.repo
            jobs.request(EXPORT, params={"config": config.pk}, repo=repo, key=key)
        elif job.state in _WHY:
            code, message = _WHY[Job.State(job.state)]
            completing.fail(config, UnreadableFile(message, viewer_code=code), "")


def forget(*, now: datetime) -> None:
    """Delete the snapshots of files that are gone for good, and those that nobody came back for."""
    for repo in Repo.objects.filter(snapshots__isnull=False).distinct().select_related("namespace"):
        forget_purged(repo)
        _forget_old(repo, now)


def forget_purged(repo: Repo) -> None:
    """Delete what was made of files that were deleted from a repo for good."""
    gone = {source.split.config.snapshot_id for source in purged_sources(repo)}
    if gone:
        _delete(repo, Snapshot.objects.filter(pk__in=gone), is_purge=True)
        _export_anew(repo)


def _export_anew(repo: Repo) -> None:
    """Let the export's ref, which is gone with what it had, hold what there is now."""
    head = history.ref_oid(repo.pk, BRANCHES + repo.default_branch)
    known = CommitSnapshot.objects.filter(repo=repo, commit=head).first()
    if known is None:
        jobs.request(PLAN, params={}, repo=repo, key=str(repo.pk))
    else:
        params = {"snapshot": known.snapshot_id}
        jobs.request(PUBLISH, params=params, repo=repo, key=str(known.snapshot_id))


def _forget_old(repo: Repo, now: datetime) -> None:
    heads = [one.commit for prefix in (BRANCHES, TAGS) for one in history.refs(repo, prefix)]
    live = CommitSnapshot.objects.filter(repo=repo, commit__in=heads).values("snapshot")
    mine = Snapshot.objects.filter(repo=repo)
    mine.filter(pk__in=live).update(seen_at=now)
    _delete(repo, mine.exclude(pk__in=live).filter(seen_at__lt=now - KEPT))


def _delete(repo: Repo, snapshots: Iterable[Snapshot], *, is_purge: bool = False) -> None:
    for snapshot in snapshots:
        mine = _digests(Shard.objects.filter(split__config__snapshot=snapshot))
        mine |= {
            bytes.fromhex(key) for key in snapshot.artifacts.values_list("blob_key", flat=True)
        }
        let_go_of(snapshot, is_purge=is_purge)
        snapshot.delete()
        if is_purge:
            _forget_bytes(repo, mine - {b""})


def _digests(shards: Iterable[Shard]) -> set[bytes]:
    return {bytes(row.sha256) for row in shards if row.sha256 is not None}


def _forget_bytes(repo: Repo, digests: set[bytes]) -> None:
    """Let a repo forget what was made of a file at once, but for what other rows are made of."""
    gone = digests - _digests(
        Shard.objects.filter(split__config__snapshot__repo=repo, sha256__in=digests)
    )
    PurgedFile.objects.bulk_create(
        [PurgedFile(repo=repo, sha256=sha256) for sha256 in gone], ignore_conflicts=True
    )
    blobs.let_go(repo=repo, digests=gone)
