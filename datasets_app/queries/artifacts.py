"""What was computed of a split: statistics, a text index."""

from collections.abc import Sequence

from django.db.models import QuerySet

from datasets_app.errors import NotReady, Unviewable
from datasets_app.models import Artifact, Snapshot, Split, State
from datasets_app.queries.rows import check_ready
from datasets_app.queries.sources import check_sources
from hub.errors import EntryNotFound, FileWithheld


def artifact_of(split: Split, kind: str) -> Artifact:
    """Something computed of a split.

    Raises:
        NotReady: it is not, yet.
        Unviewable: it could not be, as its split has no rows or for a reason of its own.
    """
    check_ready(split)
    check_sources(split.config.snapshot.repo, split)
    found = _of(split).filter(kind=kind).first()
    if found is None or found.state in {State.WAITING, State.RUNNING}:
        raise NotReady
    if found.state == State.FAILED:
        message = str((found.error or {}).get("message", ""))
        raise Unviewable(found.error_code or "UnexpectedApiError", message)
    return found


def ready_artifact(split: Split, kind: str) -> Artifact | None:
    """The same for who can do without; what may not be seen is not there."""
    try:
        check_sources(split.config.snapshot.repo, split)
    except (EntryNotFound, FileWithheld):
        return None
    return _of(split).filter(kind=kind, state=State.READY).first()


def kinds_ready(snapshot: Snapshot, splits: Sequence[Split]) -> set[str]:
    """What is ready of at least one of these splits."""
    named = {(split.config.name, split.name) for split in splits}
    ready = Artifact.objects.filter(snapshot=snapshot, state=State.READY)
    return {
        kind
        for kind, config, split in ready.values_list("kind", "config", "split")
        if (config, split) in named
    }


def _of(split: Split) -> QuerySet[Artifact]:
    config = split.config
    return Artifact.objects.filter(
        snapshot_id=config.snapshot_id, config=config.name, split=split.name
    )
