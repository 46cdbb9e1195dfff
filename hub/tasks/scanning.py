"""Scan what was pushed, and again what was scanned by older rules."""

from celery import shared_task

from hub.services import scanning


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def scan_queued() -> None:
    """Twice does no harm: each file is claimed by whoever takes it, for a while."""
    scanning.scan_queued()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def renew() -> None:
    """Twice does no harm: what is queued already is not queued again."""
    scanning.renew()
