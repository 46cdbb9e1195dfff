"""No bytes crash a parser, hang it or make it take much memory: it answers, or refuses by name.

Each run has a seed of its own, which a failure tells; ``FUZZ_SEED`` repeats it.
"""

import os
import random
import resource
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

INPUTS = int(os.environ.get("FUZZ_INPUTS", "110000"))
"""Of all targets together."""
SEED = int(os.environ.get("FUZZ_SEED", "0")) or secrets.randbelow(1 << 32)
LONGEST_SECONDS = 2
MORE_MEMORY_KIB = 128 * 1024


class Hang(Exception):
    """One input took too long."""


@contextmanager
def stopwatch() -> Iterator[None]:
    """Raise out of whatever takes longer than it may; set anew for each input."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name: str) -> None:
    target, chance = TARGETS[name], random.Random(f"{SEED} {name}")
    count, refused = int(INPUTS * target.share), 0
    for sample in target.samples:
        target.parse(target.seal(sample))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with stopwatch():
        for number in range(count):
            data = target.seal(mutated(chance, target.samples))
            signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
            try:
                target.parse(data)
            except target.errors:
                refused += 1
            except BaseException as problem:
                problem.add_note(f"FUZZ_SEED={SEED}, input {number}: {data.hex()}")
                raise

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MORE_MEMORY_KIB
    assert count // 10 < refused < count, (
        f"the samples are not near enough to what is taken: {refused}"
    )
