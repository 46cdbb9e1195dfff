"""Forget identity tokens that are over."""

from celery import shared_task
from django.utils import timezone

from hub.services import id_tokens


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def forget_id_tokens() -> None:
    """Twice does no harm: what is gone is gone."""
    id_tokens.forget(now=timezone.now())
