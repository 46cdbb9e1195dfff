"""Recount what lists sort by."""

from celery import shared_task

from hub.services import downloads


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def recount_downloads() -> None:
    """Twice does no harm: it writes what the rows of downloads and likes say."""
    downloads.recount()
