"""A mutator with a seed: valid samples, damaged as transport, bugs and malice would damage them."""

import random
from collections.abc import Callable, Sequence

INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)
MOST_CHANGES = 5
MOST_BYTES = 64 * 1024
"""Beyond this a sample grows no more: the fuzzer is after odd bytes, not after many."""

Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(chance: random.Random, samples: Sequence[bytes]) -> bytes:
    """Answer one of the samples with one or more changes."""
    data = bytearray(chance.choice(samples))
    for _ in range(chance.randint(1, MOST_CHANGES)):
        chance.choice(CHANGES)(chance, data, samples)
    return bytes(data[:MOST_BYTES])


def _span(chance: random.Random, data: Sequence[int]) -> slice:
    start = chance.randint(0, len(data))
    return slice(start, start + chance.randint(0, min(64, len(data))))


def _set_byte(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _flip_bit(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set_number(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    size = chance.choice([1, 2, 4, 8])
    number = chance.choice(INTERESTING) % (1 << 8 * size)
    at = chance.randint(0, len(data))
    data[at : at + size] = number.to_bytes(size, chance.choice(["big", "little"]))


def _insert(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 16))


def _delete(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    del data[_span(chance, data)]


def _cut(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    del data[chance.randint(0, len(data)) :]


def _repeat(chance: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    span = _span(chance, data)
    data[span.start : span.start] = data[span] * chance.randint(1, 8)


def _splice(chance: random.Random, data: bytearray, samples: Sequence[bytes]) -> None:
    other = chance.choice(samples)
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


CHANGES: tuple[Change, ...] = (
    _set_byte,
    _set_byte,
    _flip_bit,
    _set_number,
    _insert,
    _delete,
    _cut,
    _repeat,
    _splice,
)
