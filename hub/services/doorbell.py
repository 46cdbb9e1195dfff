"""Wake workers. Rows hold the work; a bell that nobody hears costs the time until beat sweeps."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring(task: str, *arguments: object, queue: str | None = None) -> None:
    """Send a task, and go on if the queue is away. For use after a transaction is safe."""
    try:
        current_app.send_task(task, args=arguments, queue=queue, retry=False)
    except (OperationalError, OSError) as problem:
        log.warning("doorbell_is_silent", task=task, reason=str(problem))


def unheard(queue: str) -> int:
    """How many bells of a queue nobody has heard yet; 0 if it is away."""
    with current_app.connection_for_write() as connection:
        try:
            declared = connection.channel().queue_declare(queue=queue, passive=True)
        except (OSError, *connection.connection_errors, *connection.channel_errors):
            return 0
    return int(declared.message_count)
