"""Checkpoints of a run: kept in the hub's store, so that any worker may go on."""

from pathlib import Path

from hub.errors import BlobNotFound
from hub.queries.store import blob_store
from hub.services import blobs
from hub.storage.digests import chunks_of, lfs_key
from inference.models import Checkpoint, Run

KEPT = 2
"""Of each run; what older ones hold is collected after its grace."""


def keep(run: Run, step: int, file: Path) -> None:
    """Put a checkpoint into the store, and forget all but the last few.

    Raises:
        OutOfSpace: there is no room for it.
    """
    store = blob_store()
    with file.open("rb") as stream:
        staged = store.stage(chunks_of(stream))
    blobs.keep_unnamed(store=store, staged=staged)
    Checkpoint.objects.update_or_create(
        run=run, step=step, defaults={"sha256": staged.sha256, "size": staged.size}
    )
    kept = run.checkpoints.order_by("-step")
    run.checkpoints.exclude(pk__in=list(kept.values_list("pk", flat=True)[:KEPT])).delete()


def bring_last(run: Run, file: Path) -> int:
    """Write the last checkpoint that is still there to ``file``; answer its step, 0 if none is."""
    store = blob_store()
    for one in run.checkpoints.order_by("-step"):
        digest = bytes(one.sha256)
        try:
            source = store.open(lfs_key(digest))
        except BlobNotFound:
            one.delete()
            continue
        blobs.touch_unnamed([digest])
        with source, file.open("wb") as written:
            for chunk in chunks_of(source):
                written.write(chunk)
        return one.step
    return 0
