"""The program that reads a hostile file: limits first, then one task, then it is over.

``python -m datasets_app.readers.child`` reads a :class:`Task` from its standard input and writes
one JSON object per line: ``read`` (bytes of the file so far), ``shard``, ``schema`` at the end of a
good one, ``error`` at the end of a bad one.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

from datasets_app.readers import limits

_CPU_SECONDS = 4 * 3600
_FILES = 1024
_PR_SET_PDEATHSIG = 1
"""Nobody reads on for a worker that is dead: prctl(2)."""
_TELL_EVERY = 4 * limits.MIB


def main() -> None:
    """Do one task."""
    restrict()
    from datasets_app.readers.converting import run  # noqa: PLC0415 - within the limits
    from datasets_app.readers.task import Task  # noqa: PLC0415

    task = Task.from_json(sys.stdin.buffer.read())
    told = 0

    def tell(event: str, value: Any) -> None:
        nonlocal told
        if event == "read":
            if value < told + _TELL_EVERY:
                return
            told = value
        sys.stdout.write(json.dumps({event: value}) + "\n")
        sys.stdout.flush()

    run(task, tell)


def restrict() -> None:
    """Take away what reading does not need; Arrow's own pool would take it before we can."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (limits.ADDRESS_SPACE, limits.ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * limits.GIB, 2 * limits.GIB))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    os.environ["ARROW_IO_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    os.nice(10)


if __name__ == "__main__":
    main()
