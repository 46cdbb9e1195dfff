"""Children that answer questions, kept warm, and killed when a question takes too long."""

import atexit
import os
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Any, BinaryIO

from datasets_app.errors import InvalidParameter, QueryTooHeavy, TooManyQueries
from datasets_app.serving.wiring import Answer, read_message, write_message

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10
GIBIBYTES = 3
WARM = 2
"""Children of one process at a time."""
WAIT_SECONDS = 10.0
START_SECONDS = 30.0
MAX_QUESTIONS = 100
"""After so many a child makes place for a fresh one."""
PER_CALLER = 4
_ERRORS = {"invalid": InvalidParameter, "heavy": QueryTooHeavy}


class Child:
    """One process that answers."""

    def __init__(self, seconds: int, gibibytes: int, written: int = 0) -> None:
        self._seconds = seconds
        self.asked = 0
        program = "datasets_app.serving.child"
        command = [sys.executable, "-m", program, *map(str, (seconds, gibibytes, written))]
        self._process = subprocess.Popen(  # noqa: S603 - a program of our own
            command,
            cwd=ROOT,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._receive(monotonic() + START_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: Mapping[str, Any]) -> Answer:
        """Ask, and wait for the answer.

        Raises:
            QueryTooHeavy: it took too long, or the process died of it. The child is gone then.
            BrokenPipeError: it was gone before it was asked.
        """
        self.asked += 1
        write_message(_pipe(self._process.stdin), question)
        return self._receive(monotonic() + self._seconds)

    def end(self) -> None:
        """Kill it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _receive(self, deadline: float) -> Answer:
        source = _pipe(self._process.stdout)
        ready, _, _ = select.select([source], [], [], max(deadline - monotonic(), 0))
        if not ready:
            self.end()
            raise QueryTooHeavy(f"The query took longer than {self._seconds} seconds.")
        try:
            head, body = read_message(source)
        except (EOFError, OSError):
            head, body = {}, b""
        if not head:
            self.end()
            if not self._process.returncode:
                raise BrokenPipeError
            raise QueryTooHeavy("The query needs more memory than one may have.")
        return Answer(head, body)


def checked(answer: Answer) -> Answer:
    """Raises: InvalidParameter, QueryTooHeavy: the answer is that refusal."""
    if kind := answer.head.get("error"):
        raise _ERRORS[str(kind)](str(answer.head["message"]))
    return answer


class Pool:
    """At most so many children; each answers one question at a time."""

    def __init__(
        self, *, warm: int = WARM, seconds: int = SECONDS, gibibytes: int = GIBIBYTES
    ) -> None:
        self._seconds, self._gibibytes = seconds, gibibytes
        self._free = BoundedSemaphore(warm)
        self._idle: list[Child] = []
        self._callers: Counter[str] = Counter()
        self._lock = Lock()

    def ask(self, question: Mapping[str, Any], caller: str = "") -> Answer:
        """Ask one of the children.

        Raises:
            InvalidParameter: the question is not one that may be asked.
            QueryTooHeavy: it took too much.
            TooManyQueries: all are busy, or ``caller`` waits for too many answers.
        """
        with self._turn_of(caller):
            answer = self._ask(question)
        return checked(answer)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _ask(self, question: Mapping[str, Any]) -> Answer:
        while True:
            child, is_warm = self._child()
            try:
                answer = child.ask(question)
            except (BrokenPipeError, QueryTooHeavy) as problem:
                child.end()
                # One that waited for long has ended by itself: that says nothing of the question.
                if isinstance(problem, BrokenPipeError) and is_warm:
                    continue
                raise QueryTooHeavy(str(problem)) from None
            self._keep(child)
            return answer

    def _child(self) -> tuple[Child, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
        return Child(self._seconds, self._gibibytes), False

    def _keep(self, child: Child) -> None:
        if child.asked >= MAX_QUESTIONS:
            child.end()
            return
        with self._lock:
            self._idle.append(child)

    @contextmanager
    def _turn_of(self, caller: str) -> Iterator[None]:
        with self._lock:
            if caller and self._callers[caller] >= PER_CALLER:
                raise TooManyQueries("You wait for the answers of too many queries already.")
            self._callers[caller] += 1
        try:
            if not self._free.acquire(timeout=WAIT_SECONDS):
                raise TooManyQueries
            try:
                yield
            finally:
                self._free.release()
        finally:
            with self._lock:
                self._callers[caller] -= 1
                if not self._callers[caller]:
                    del self._callers[caller]


def _pipe(pipe: "BinaryIO | Any") -> BinaryIO:
    if pipe is None:
        raise BrokenPipeError
    found: BinaryIO = pipe
    return found


pool = Pool()
"""Of this process: made empty, children come with the first question."""
atexit.register(pool.close)
