"""Read what is stored, all of it once a week."""

from celery import shared_task

from hub.services import scrubbing


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def scrub() -> None:
    """Twice does no harm: the second run goes on with what the first has not read yet."""
    scrubbing.scrub()
