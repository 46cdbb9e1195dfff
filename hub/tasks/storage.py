"""Keep the store free of leftovers."""

from celery import shared_task

from hub.services import sweeping


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def sweep_staging() -> None:
    """Twice does no harm: what is gone is gone."""
    sweeping.sweep_staging()
