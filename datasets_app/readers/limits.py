"""How much of a hostile file is read before we stop."""

from typing import Final

MIB: Final = 1 << 20
GIB: Final = 1 << 30

MAX_COLUMNS: Final = 10_000
MAX_COLUMN_NAME: Final = 500
MAX_NESTING: Final = 64
MAX_LINE: Final = 64 * MIB
"""Of CSV and JSON lines: a row has no more bytes."""
MAX_CELL: Final = 256 * MIB
MAX_FOOTER: Final = 64 * MIB
RATIO: Final = 200
"""What is compressed may grow so many times, once it is more than ``RATIO_FROM``."""
RATIO_FROM: Final = 64 * MIB
MIN_OUTPUT: Final = GIB
MAX_MEMBERS: Final = 1_000_000
ADDRESS_SPACE: Final = 4 * GIB
"""Of a child."""
MAX_SPLIT: Final = 64 * GIB


def most_output(size: int) -> int:
    """How many bytes of rows a file of ``size`` bytes may give."""
    return min(max(MIN_OUTPUT, RATIO * size), MAX_SPLIT)
