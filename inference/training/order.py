"""Which rows a step sees: a function of seed and step, so that nothing need be remembered."""

from collections.abc import Sequence

import numpy as np

_HELD_BACK = 1
_EPOCH = 2
_STEP = 3


def split(count: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Deal ``count`` rows out: those to learn from, and those to hold back, a ``share`` of all."""
    if share <= 0:
        return list(range(count)), []
    back = max(1, round(count * share))
    dealt = _generator(seed, _HELD_BACK, 0).permutation(count).tolist()
    return sorted(dealt[back:]), sorted(dealt[:back])


def steps_of(count: int, *, batch: int, epochs: float) -> int:
    """So many steps see ``count`` rows ``epochs`` times."""
    return max(1, -(-round(count * epochs) // batch))


def batch_at(step: int, *, count: int, batch: int, seed: int) -> Sequence[int]:
    """The rows of step ``step``, from 1 on: epochs follow each other without a gap."""
    start = (step - 1) * batch
    rows: list[int] = []
    while len(rows) < batch:
        epoch, place = divmod(start + len(rows), count)
        rows += _epoch(epoch, count, seed)[place : place + batch - len(rows)]
    return rows


def seed_at(step: int, seed: int) -> int:
    """What generators of step ``step`` are seeded with: noise, dropout, times."""
    return int(_generator(seed, _STEP, step).integers(2**63))


_shuffled: dict[tuple[int, int, int], list[int]] = {}


def _epoch(epoch: int, count: int, seed: int) -> list[int]:
    key = (epoch, count, seed)
    if key not in _shuffled:
        # Two epochs at most meet in a batch that is smaller than both.
        while len(_shuffled) > 1:
            del _shuffled[next(iter(_shuffled))]
        _shuffled[key] = _generator(seed, _EPOCH, epoch).permutation(count).tolist()
    return _shuffled[key]


def _generator(seed: int, purpose: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, purpose, number])))
