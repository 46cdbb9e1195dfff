"""In which order a stream gives the rows of a split: a function of its plan alone.

Without a seed a shard is a run of rows. With one it is a lane: every so-many-th of the shuffled
blocks, read in windows of a few, the rows of each window shuffled too. Nothing of it depends on
what was read before, so a stream goes on anywhere, and lanes may be dealt out anew at any time.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import orjson

from datasets_app.errors import InvalidParameter, Unviewable
from datasets_app.serving.rows import Run, SplitRows

VERSION = 1
MAX_SHARDS = 65_536
MAX_WINDOW = 256
MAX_SEED = 2**63 - 1
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rows a stream gives, in which order: all that its tokens depend on."""

    snapshot: int
    columns: tuple[str, ...] | None = None
    where: str = ""
    offset: int = 0
    limit: int | None = None
    shard: int = 0
    num_shards: int = 1
    seed: int | None = None
    epoch: int = 0
    window: int = 16

    @property
    def digest(self) -> str:
        """Names the plan: a token of another one is of no use here."""
        return hashlib.sha256(orjson.dumps(asdict(self))).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Window:
    """Rows that are read, and shuffled, together."""

    runs: tuple[Run, ...]
    key: tuple[object, ...] | None = None
    """What its shuffle depends on; None: as they are."""

    @property
    def rows(self) -> int:
        return sum(run.rows for run in self.runs)

    def order(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]] | None":
        """The permutation of its rows."""
        return None if self.key is None else generator(*self.key).permutation(self.rows)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream is: so many windows, so many rows of the next, so many rows that fit."""

    window: int = 0
    rows: int = 0
    """Rows of the window that are done with, counted before the filter."""
    matches: int = 0
    """Rows that fit the filter so far, those left out by ``offset`` too."""


def generator(*key: object) -> np.random.Generator:
    """A source of chance that is the same for the same key, on every machine."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=_KEY_BYTES).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def windows_of(rows: SplitRows, plan: Plan) -> list[Window]:
    """The windows of the plan's shard, in their order."""
    if plan.seed is None:
        start, stop = span_of(rows.num_rows, plan.shard, plan.num_shards)
        return [Window((run,)) for run in rows.runs(start, stop)]
    shuffled = generator(plan.snapshot, plan.seed, plan.epoch, "b").permutation(rows.num_blocks)
    lane = shuffled[plan.shard :: plan.num_shards].tolist()
    windows = []
    for at in range(0, len(lane), plan.window):
        blocks = [rows.block(ordinal) for ordinal in lane[at : at + plan.window]]
        runs = tuple(Run(block, 0, block.rows) for block in blocks)
        key = (plan.snapshot, plan.seed, plan.epoch, "w", blocks[0].ordinal)
        windows.append(Window(runs, key))
    return windows


def span_of(rows: int, shard: int, shards: int) -> tuple[int, int]:
    """The rows of a contiguous shard; the first ones have one more where it does not come out."""
    size, more = divmod(rows, shards)
    start = size * shard + min(shard, more)
    return start, start + size + (shard < more)


def token_of(plan: Plan, position: Position) -> str:
    """What a client shows to go on from ``position``."""
    parts = [VERSION, plan.snapshot, plan.digest, *asdict(position).values()]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def snapshot_in(token: str) -> int:
    """The snapshot that a token is of.

    Raises:
        InvalidParameter: it is not one of ours.
    """
    return _parts(token)[0]


def position_in(token: str, plan: Plan, windows: list[Window]) -> Position:
    """Where a stream of ``plan`` goes on.

    Raises:
        InvalidParameter: the token is not one of ours.
        Unviewable: it is of another plan.
    """
    _, digest, position = _parts(token)
    if digest != plan.digest:
        raise Unviewable("ResumeMismatch", "The token is of a stream with other parameters.")
    is_end = position.window == len(windows) and not position.rows
    if not is_end and (
        position.window >= len(windows) or position.rows > windows[position.window].rows
    ):
        raise InvalidParameter("Parameter 'resume' is not one of our tokens.")
    return position


def _parts(token: str) -> tuple[int, str, Position]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        version, snapshot, digest, *numbers = orjson.loads(raw)
        is_good = version == VERSION and all(
            isinstance(number, int) and 0 <= number <= MAX_SEED for number in (snapshot, *numbers)
        )
        if is_good and isinstance(digest, str):
            return snapshot, digest, Position(*numbers)
    except (ValueError, TypeError, binascii.Error):
        pass
    raise InvalidParameter("Parameter 'resume' is not one of our tokens.")


def lanes_of(rows: SplitRows, plan: Plan) -> list[Mapping[str, int]]:
    """How many rows and blocks each shard of the plan has."""
    if plan.seed is None:
        spans = [span_of(rows.num_rows, at, plan.num_shards) for at in range(plan.num_shards)]
        return [
            {"shard": at, "rows": stop - start, "blocks": sum(1 for _ in rows.runs(start, stop))}
            for at, (start, stop) in enumerate(spans)
        ]
    shuffled = generator(plan.snapshot, plan.seed, plan.epoch, "b").permutation(rows.num_blocks)
    lanes = [shuffled[at :: plan.num_shards].tolist() for at in range(plan.num_shards)]
    return [
        {"shard": at, "rows": sum(rows.block(block).rows for block in lane), "blocks": len(lane)}
        for at, lane in enumerate(lanes)
    ]
