"""Make xorbs of large files that came by LFS."""

from celery import shared_task

from hub.services import conversion


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def convert_pending() -> None:
    """Twice does no harm: each file is claimed for a day by whoever takes it."""
    conversion.convert_pending()
