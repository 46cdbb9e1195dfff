"""Seal, anchor and prune the audit log."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from teams.services import audit_sealing


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def seal() -> None:
    """Twice does no harm: a chain that another run seals is passed over."""
    audit_sealing.seal()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def anchor() -> None:
    """Twice does no harm: only chains that moved since are told of."""
    audit_sealing.seal()
    audit_sealing.anchor()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def prune() -> None:
    """Twice does no harm: what is gone is gone."""
    audit_sealing.prune(days=settings.AUDIT_DAYS, now=timezone.now())
