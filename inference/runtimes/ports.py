"""Runtime: the port behind which every kind of model is loaded and run."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from inference.protocols.families import Family
from inference.protocols.tasks import Call

Step = Callable[[int, int], None]
"""Told after each step of a long run: so many of so many. What it raises ends the run at once."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model as it was at one commit."""

    repo: str
    commit: str
    family: Family

    def __str__(self) -> str:
        return f"{self.repo}@{self.commit[:12]}"


def refs_of(ref: ModelRef, call: Call) -> list[ModelRef]:
    """The model, and the adapters that a call names."""
    named = call.values.get("adapters") or ()
    return [ref, *(ModelRef(one["repo"], one["commit"], ref.family) for one in named)]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a model made, and its recipe: with that anybody makes it again."""

    png: bytes
    recipe: Mapping[str, Any]


Answer = Any
"""What JSON can hold, or a :class:`Picture`."""


class Runtime(Protocol):
    """One loaded model. It is used by one thread at a time."""

    nbytes: int
    """Memory that its weights hold."""
    most: int
    """Calls that run well as one batch."""

    def batch_key(self, call: Call) -> Hashable:
        """Calls with the same key may be one batch."""
        ...

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[Answer]:
        """Answer calls of one key, in order.

        Raises:
            InputRejected: the model cannot be given one of them.
            MemoryError: there is not enough memory for so many at once.
        """
        ...

    def unload(self) -> None:
        """Let go of the memory."""
        ...


class Loader(Protocol):
    """Makes a runtime of a verified local folder."""

    def __call__(self, folder: Path, ref: ModelRef) -> Runtime: ...
