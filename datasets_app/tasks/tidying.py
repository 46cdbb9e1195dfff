"""End what nobody works on, and delete what nobody may see or came back for."""

from celery import shared_task
from django.utils import timezone

from datasets_app.services import tidying


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def settle() -> None:
    """Twice does no harm: what is settled is passed over."""
    tidying.settle_ended()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def forget() -> None:
    """Twice does no harm: what is gone is gone."""
    tidying.forget(now=timezone.now())
