"""Drop what uploads left behind."""

import structlog
from django.utils import timezone

from hub.crashpoints import Point, reach
from hub.queries.fsck.leftovers import STAGING_LIFE
from hub.queries.store import blob_store

log = structlog.get_logger(__name__)


def sweep_staging() -> int:
    """Drop staged bytes that nobody can finish any more; answer how many there were.

    What is still being written is young, however long ago it was begun.
    """
    store = blob_store()
    names = list(store.stale(timezone.now() - STAGING_LIFE))
    for name in names:
        store.abandon(name)
        reach(Point.SWEEP_DROPPED)
    if names:
        log.info("staging_swept", uploads=len(names))
    return len(names)
