"""Deliver webhooks, and forget old deliveries."""

from celery import shared_task
from django.utils import timezone

from hub.services import delivering, delivery_log


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def deliver() -> None:
    """Twice does no harm: each delivery is leased to whoever takes it."""
    delivering.drain()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def bound_queues() -> None:
    """Twice does no harm: what is no longer too long is left alone."""
    delivery_log.bound_queues()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def forget_deliveries() -> None:
    """Twice does no harm: what is gone is gone."""
    delivery_log.forget(now=timezone.now())
