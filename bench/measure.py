"""What all comparisons share: rounds in turn, the CPU and memory of processes, tables of ratios."""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
# A comparison is started as a file, so Python looks for modules beside it and not at the root.
sys.path.append(str(ROOT))

MIB = 1024 * 1024
BALLAST_BYTES = 1 << 42
LEFT_FREE_BYTES = 300 * MIB
MOST_FILLED_BYTES = 64 * 1024 * MIB


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure."""

    quick: bool
    rounds: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one piece of work took."""

    seconds: float
    cpu: float = 0.0
    """CPU seconds, user and system, of the processes under watch."""


def options(question: str, *, rounds: int = 5) -> Options:
    """Read the command line, and say what is measured on which machine."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--quick", action="store_true", help="little data: does it run at all?")
    parser.add_argument("--rounds", type=int, default=0, help=f"how often ({rounds})")
    given = parser.parse_args()
    one, *_ = os.getloadavg()
    print(question)
    print(f"{os.cpu_count()} cores, load {one:.1f}, Python {platform.python_version()}")
    return Options(given.quick, given.rounds or (2 if given.quick else rounds))


class Processes:
    """Some processes with all their children."""

    def __init__(self, *pids: int) -> None:
        self._heads = [psutil.Process(pid) for pid in pids]

    def cpu(self) -> float:
        """CPU seconds so far; who has ended is counted with the parent that waited for it."""
        return sum(sum(one.cpu_times()[:4]) for one in self._alive())

    def memory(self) -> tuple[int, int]:
        """Resident and proportional bytes (PSS: what processes share is divided among them)."""
        rss = pss = 0
        for one in self._alive():
            with suppress(psutil.NoSuchProcess):
                info = one.memory_full_info()
                rss, pss = rss + info.rss, pss + info.pss
        return rss, pss

    def _alive(self) -> Iterator[psutil.Process]:
        for head in self._heads:
            yield head
            yield from head.children(recursive=True)


def sampled(work: Callable[[], object], watched: Processes | None = None) -> Sample:
    """Do the work; answer how long it took, and the CPU that ``watched`` used meanwhile."""
    cpu = watched.cpu() if watched else 0.0
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    return Sample(seconds, watched.cpu() - cpu if watched else 0.0)


def in_turn(ways: Mapping[str, Callable[[], Sample]], *, rounds: int) -> dict[str, list[Sample]]:
    """Go each way once a round, so that a busy machine is busy for all; another first each time.

    A round before the first one warms everything up and does not count.
    """
    names = list(ways)
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sample = ways[name]()
            if number >= 0:
                found[name].append(sample)
    return found


def settle() -> None:
    """Start alike before each write: nothing waits for the disk, and no memory is free.

    A virtual machine gives pages that are free for seconds back to its host, and the first who
    touches them again pays for it: several times what the write itself costs, and the more the
    longer it takes. On a machine that has been up for a day all memory that nobody uses holds
    what was read from files; so it is here.
    """
    os.sync()
    _ballast.fill()


class _Ballast:
    """A file of nothing but holes: reading on in it fills free memory with pages that can go."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  as long as we run
        self._file.truncate(BALLAST_BYTES)
        self._buffer = bytearray(4 * MIB)

    def fill(self) -> None:
        left = min(psutil.virtual_memory().free - LEFT_FREE_BYTES, MOST_FILLED_BYTES)
        while left > 0 and (count := self._file.readinto(self._buffer)):
            left -= count


_ballast = _Ballast()


def seconds(samples: Sequence[Sample]) -> list[float]:
    return [one.seconds for one in samples]


def cpu_seconds(samples: Sequence[Sample]) -> list[float]:
    return [one.cpu for one in samples]


def rates(samples: Sequence[Sample], nbytes: int) -> list[float]:
    """MiB a second."""
    return [nbytes / MIB / one.seconds for one in samples]


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio should be at the median."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"

    def is_met_by(self, value: float) -> bool:
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.at_most is None or value <= self.at_most)


@dataclass
class Table:
    """Ratios, round by round, with the medians of what was divided."""

    title: str
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def compare(
        self,
        what: str,
        ours: Sequence[float],
        theirs: Sequence[float],
        *,
        unit: str,
        target: Target | None = None,
    ) -> None:
        """Add the ratios of two series that were measured in turn."""
        found = [mine / other for mine, other in zip(ours, theirs, strict=True) if other]
        if not found:
            self.rows.append((what, "-", "-", "-", "", "", "too short to measure"))
            return
        median = statistics.median(found)
        absolute = f"{_short(statistics.median(ours))} : {_short(statistics.median(theirs))} {unit}"
        spread = tuple(f"{value:.3g}" for value in (min(found), median, max(found)))
        self.rows.append((what, *spread, *_judged(target, median), absolute))

    def note(self, what: str, value: float, unit: str, target: Target | None = None) -> None:
        """Add one figure that is no ratio."""
        self.rows.append((what, "", _short(value), "", *_judged(target, value), unit))

    def print(self) -> None:
        heads = ("", "min", "median", "max", "target", "", "medians")
        lines = [heads, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
        print(f"\n{self.title}")
        for line in lines:
            cells = [
                cell.rjust(width) if 0 < column < len(heads) - 1 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            print("  " + "  ".join(cells).rstrip())
        sys.stdout.flush()


def _judged(target: Target | None, value: float) -> tuple[str, str]:
    if target is None:
        return "", ""
    return str(target), "met" if target.is_met_by(value) else "MISSED"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
