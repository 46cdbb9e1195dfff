"""The program that answers questions about rows: DuckDB and tantivy, in a process of its own.

``python -m datasets_app.serving.child SECONDS GIBIBYTES WRITTEN`` reads questions from its standard
input and writes answers to its standard output (:mod:`datasets_app.serving.wiring`). It sets its
own limits before it loads anything: memory, time for a question, bytes it may write (none,
for questions of callers). The parent kills it when a question takes too long; without a parent it
ends by itself.
"""

import os
import resource
import select
import signal
import sys
from typing import BinaryIO

from datasets_app.serving.wiring import Answer, read_message, write_message

IDLE_SECONDS = 300
GRACE_SECONDS = 5
"""After a question's time, when no parent killed us."""
_GIB = 1024**3


def main(seconds: int, gibibytes: int, written: int) -> None:
    """Answer until there are no more questions."""
    limit(gibibytes * _GIB, written)
    from datasets_app.serving.questions import Questions  # noqa: PLC0415 - within the limits

    questions = Questions()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    write_message(sink, {"ready": os.getpid()})
    while question := _next(source):
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
        answer = questions.answer(question)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _say(sink, answer)


def limit(memory: int, written: int) -> None:
    """Take away what no question needs. Raises OSError where the system refuses."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    os.environ["OMP_NUM_THREADS"] = "1"
    os.nice(5)


def _next(source: BinaryIO) -> dict[str, object]:
    ready, _, _ = select.select([source], [], [], IDLE_SECONDS)
    return read_message(source)[0] if ready else {}


def _say(sink: BinaryIO, answer: Answer) -> None:
    write_message(sink, answer.head, answer.body)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
