"""Send letters."""

from celery import shared_task
from django.utils import timezone

from teams.services import mail


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def send() -> None:
    """Twice does no harm: a letter is claimed before it is sent."""
    mail.send_due()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def forget() -> None:
    """Delete old letters."""
    mail.forget(now=timezone.now())
