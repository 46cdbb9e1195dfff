"""Ticket: one call on its way through the queue, and the end of it."""

import threading
import time
from dataclasses import dataclass, field
from enum import IntEnum

from inference.errors import TooLate
from inference.protocols.tasks import Call
from inference.runtimes.ports import Answer, ModelRef


class Priority(IntEnum):
    """Who goes first."""

    INTERACTIVE = 0
    BATCH = 1


class Abandoned(Exception):
    """Nobody waits for the answer any more."""


@dataclass(eq=False)
class Ticket:
    """A call that waits for its model. Whoever holds it may wait for its end, or give it up."""

    ref: ModelRef
    call: Call
    priority: Priority = Priority.INTERACTIVE
    deadline: float = float("inf")
    """By the monotonic clock: when beginning it is of no use any more."""
    done: int = 0
    total: int = 0
    """So many steps of so many."""
    _over: threading.Event = field(default_factory=threading.Event)
    _answer: Answer = None
    _problem: BaseException | None = None
    is_given_up: bool = False

    def wait(self, seconds: float) -> bool:
        """Wait for its end for so long; say whether it came."""
        return self._over.wait(seconds)

    def result(self) -> Answer:
        """Answer what the model said.

        Raises:
            TooLate: it did not come before the deadline.
            Refusal: as its runtime.
        """
        if not self._over.wait(max(0.0, min(self.deadline - time.monotonic(), _LONGEST))):
            self.give_up()
            raise TooLate
        if self._problem is not None:
            raise self._problem
        return self._answer

    def give_up(self) -> None:
        """Say that nobody waits for it; a batch of only such ends at its next step."""
        self.is_given_up = True

    def answer(self, answer: Answer) -> None:
        self._answer = answer
        self._over.set()

    def fail(self, problem: BaseException) -> None:
        self._problem = problem
        self._over.set()


_LONGEST = 24 * 3600.0
