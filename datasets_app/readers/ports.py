"""TableReader: what reads the files of one builder."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

Told = Callable[[int], None]


def _nobody(_read: int) -> None:
    """Nobody wants to hear."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the repo, and where its bytes lie on this machine."""

    name: str
    """Its path in the repo."""
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read."""

    params: Mapping[str, Any] = field(default_factory=dict)
    schema: pa.Schema | None = None
    """What the rows shall be cast to; None: what the files themselves have."""
    rows: int | None = None
    """So many rows are enough: a preview."""
    told: Told = _nobody


class TableReader(Protocol):
    """Reads one file. The first batch has the schema of all."""

    def __call__(self, file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
        """The rows of a file, in order.

        Raises:
            UnreadableFile: it cannot be read.
        """
        ...
