"""What is computed of a split once it is converted: statistics, personal data, an index of texts.

Each is an artifact of the split: what is ready in our version is not made again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone

from datasets_app.errors import InvalidParameter, QueryTooHeavy
from datasets_app.models import Artifact, Snapshot, Split, State
from datasets_app.queries.rows import Found, rows_of
from datasets_app.queries.splits import splits_of
from datasets_app.services.completing import storable
from datasets_app.services.kinds import INDEX, STATISTICS
from datasets_app.serving.pool import Child, checked
from hub.services import jobs
from hub.services.working import Work

PRIORITY = 8
Make = Callable[[Work, Split, Found], Mapping[str, Mapping[str, Any]]]
"""Answers the columns of each artifact that it made, by its kind."""


def request(snapshot: Snapshot) -> None:
    """Ask for all that is computed of a snapshot, within the caller's transaction."""
    for kind in (STATISTICS, INDEX):
        jobs.request(
            kind,
            params={"snapshot": snapshot.pk},
            repo=snapshot.repo,
            key=str(snapshot.pk),
            priority=PRIORITY,
        )


def make_all(work: Work, kind: str, version: int, make: Make) -> dict[str, Any]:
    """Make an artifact of every split of the job's snapshot that has none yet."""
    snapshot = (
        Snapshot.objects.select_related("repo__namespace")
        .filter(pk=work.params["snapshot"])
        .first()
    )
    if snapshot is None:
        return {}
    splits = [split for split in splits_of(snapshot) if split.state == State.READY]
    for count, split in enumerate(splits):
        work.progress(count, len(splits), f"{split.config.name}/{split.name}")
        if not _of(split, kind).filter(state=State.READY, version=version).exists():
            _make(work, snapshot, split, kind, version, make)
    return {"splits": len(splits)}


def _make(
    work: Work, snapshot: Snapshot, split: Split, kind: str, version: int, make: Make
) -> None:
    try:
        made = make(work, split, rows_of(snapshot.repo, split))
    except (InvalidParameter, QueryTooHeavy) as problem:
        error = {"message": problem.message}
        made = {kind: {"state": State.FAILED, "error_code": "UnexpectedApiError", "error": error}}
    for name, columns in storable(made).items():
        Artifact.objects.update_or_create(
            snapshot=snapshot,
            kind=name,
            config=split.config.name,
            split=split.name,
            defaults={
                "state": State.READY,
                "error_code": "",
                "error": None,
                "progress": 1.0,
                "version": version,
                "computed_at": timezone.now(),
                **columns,
            },
        )


def _of(split: Split, kind: str) -> Any:
    return Artifact.objects.filter(
        snapshot_id=split.config.snapshot_id, kind=kind, config=split.config.name, split=split.name
    )


def asked(question: Mapping[str, Any], *, seconds: int, gibibytes: int, written: int = 0) -> Any:
    """Ask a child of its own; answer the head of what it says.

    Raises:
        InvalidParameter, QueryTooHeavy: it could not answer.
    """
    child = Child(seconds, gibibytes, written)
    try:
        return checked(child.ask(question)).head
    finally:
        child.end()
