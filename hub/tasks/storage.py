"""Keep database and store free of what nobody can reach."""

from celery import shared_task
from django.utils import timezone

from hub.services import collect, sweeping


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def sweep_staging() -> None:
    """Twice does no harm: what is gone is gone."""
    sweeping.sweep_staging()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def collect_garbage() -> None:
    """Twice does no harm: each step looks again at what it is about to delete."""
    collect.collect(now=timezone.now())
