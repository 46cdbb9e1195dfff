"""The workers that are there."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from inference.errors import NoWorker
from inference.models import Worker
from inference.runtimes.ports import ModelRef

SILENT = timedelta(seconds=20)
"""After so long without a word a worker is taken to be gone."""


def alive() -> QuerySet[Worker]:
    return Worker.objects.filter(seen_at__gt=timezone.now() - SILENT)


def worker_for(ref: ModelRef) -> Worker:
    """Choose a worker for a model: one where it is warm, if there is one.

    Raises:
        NoWorker: none is there.
    """
    workers = list(alive().order_by("pk"))
    if not workers:
        raise NoWorker
    name = f"{ref.repo}@{ref.commit}"
    # With several, the same model always goes to the same one, so that others stay for others.
    return next(
        (worker for worker in workers if name in worker.warm),
        workers[int(ref.commit[:8], 16) % len(workers)],
    )
