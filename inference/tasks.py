"""The worker of the queue `gpu` opens its direct line when it is ready."""

from typing import Any

from celery.signals import worker_ready, worker_shutdown

from inference.services import serving

QUEUE = "gpu"
_open: list[serving.WorkerProcess] = []


@worker_ready.connect  # type: ignore[untyped-decorator]
def open_line(sender: Any, **_rest: object) -> None:
    """Only a worker that takes jobs of models holds models."""
    if QUEUE in sender.app.amqp.queues.consume_from:
        process = serving.WorkerProcess()
        process.start()
        _open.append(process)


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def close_line(**_rest: object) -> None:
    while _open:
        _open.pop().stop()
