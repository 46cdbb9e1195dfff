"""Index the history of long pushes."""

from celery import shared_task

from hub.services import indexing


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def index_pending() -> None:
    """Twice does no harm: each run takes what no other has locked, and nothing is filed twice."""
    indexing.index_pending()
