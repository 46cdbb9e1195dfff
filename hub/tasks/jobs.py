"""Work jobs off."""

from celery import shared_task
from celery.signals import worker_shutting_down

from hub.services import doorbell, jobs, working


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def work(queue: str) -> None:
    """Twice does no harm: a job is claimed by whoever comes first, the other takes the next."""
    if working.work_off(queue) and not working.stopping.is_set():
        doorbell.ring(jobs.TASK, queue, queue=queue)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def sweep_jobs() -> None:
    """Twice does no harm: a bell too many finds nothing to do."""
    jobs.sweep()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def give_way(**_signal: object) -> None:
    """Let go of what runs, so that another worker begins it at once."""
    working.stopping.set()
