"""Recipe and Training: the ports behind which every way of training stands.

A recipe is an entry of :mod:`inference.training.recipes`: what it is given, what it needs of a
dataset and of a base model. Its class makes a :class:`Training` in the child process that does the
work (:mod:`inference.training.run`), which alone decides when a step, a checkpoint or an evaluation
is due. Nothing here or in a recipe reaches the hub: its files were fetched before, and what it
makes is published after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from inference.training.rows import Rows


class TrainingFailed(Exception):
    """The training cannot be done, and will not be by trying again; the text says why, to people.

    ``code`` is for programs: ``too_few_rows``, ``broken_rows``, ``loss_not_finite`` …
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a training is given; all of it lies on this machine, verified."""

    base: Path
    """The files of the base model, as :class:`inference.runtimes.snapshot.Snapshots` keeps them."""
    train: Rows
    valid: Rows
    """Rows that are only evaluated on; there may be none."""
    columns: Mapping[str, str]
    """The column of the dataset for each need of the recipe."""
    values: Mapping[str, Any]
    """The parameters: each of the recipe's fields has a value or None."""


class Training(Protocol):
    """One training that was prepared; it is used by one thread.

    The same :class:`Given` leads to the same weights, whether or not it was broken off and loaded
    in between: what a step does follows from its number and from what ``save`` writes. Draw what is
    random from generators that are seeded by number (:mod:`inference.training.order`).
    """

    total: int
    """Steps of the optimiser."""

    def step(self, number: int) -> Mapping[str, float]:
        """Take step ``number``, from 1 on; answer its figures, ``loss`` and ``lr`` among them.

        Raises:
            TrainingFailed: a row cannot be used.
            MemoryError: there is not enough memory for a batch.
        """
        ...

    def evaluate(self) -> Mapping[str, float]:
        """Measure on the rows that are held back; it changes nothing. No figures if there are none.

        Raises: as :meth:`step`.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all that later steps depend on: weights, optimiser, schedule, generators.

        Raises:
            OSError: the disk is full.
        """
        ...

    def load(self, folder: Path) -> None:
        """Go on where ``save`` was called. No pickle that could hold code may be read for it.

        Raises:
            TrainingFailed: it is of another training.
        """
        ...

    def export(self, folder: Path) -> None:
        """Write the model as it is published: safetensors and configs that stock libraries load.

        The card is not written here, but from what is known of the run.
        """
        ...


class Recipe(Protocol):
    """Prepares a training: loads the base, looks at the rows."""

    def __call__(self, given: Given) -> Training:
        """Make it.

        Raises:
            TrainingFailed: base and rows do not go together, rows are too few or broken.
            ModelNotServed: the base cannot be loaded.
            MemoryError: it does not fit.
        """
        ...
