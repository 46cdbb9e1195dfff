"""Rows of a dataset as a stream that goes on exactly where it was: for training loops.

One file to copy; it needs pyarrow, and torch only for :class:`RowsDataset`. The hub decides the
order from dataset, seed and epoch alone. All rows are cut into ``lanes``; whoever reads takes turns
between the lanes that are theirs, and keeps one token for each: that is the whole state. So a run
of two workers may go on with five, and still see each row exactly once.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pyarrow as pa

RETRIES = 10
WAIT_SECONDS = 1.0
MOST_WAIT_SECONDS = 30.0
TIMEOUT_SECONDS = 120.0
_LOST = 500
"""Answers from here on may be others the next time; so may 429."""
_BUSY = 429


@dataclass(frozen=True)
class Rows:
    """Which rows, in which order. ``query`` are further parameters: ``columns``, ``filter`` …"""

    endpoint: str
    dataset: str
    config: str = "default"
    split: str = "train"
    seed: int | None = None
    epoch: int = 0
    lanes: int = 64
    token: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    def url(self, lane: int, resume: str) -> str:
        """Where the rows of a lane are, behind those that ``resume`` is of."""
        names = "/".join(quote(name, safe="") for name in (self.config, self.split))
        asked = {
            **self.query,
            "shard": str(lane),
            "num_shards": str(self.lanes),
            "epoch": str(self.epoch),
        }
        if self.seed is not None:
            asked["seed"] = str(self.seed)
        if resume:
            asked["resume"] = resume
        base = f"{self.endpoint.rstrip('/')}/api/datasets/{self.dataset}/arrow/{names}"
        return f"{base}?{urlencode(asked)}"


class Lane:
    """One lane, from a token on: batches, and after each the token behind it.

    What breaks off is asked for anew from the last token; what the hub refuses is raised.
    """

    def __init__(self, rows: Rows, number: int, resume: str = "", *, is_over: bool = False) -> None:
        self.rows, self.number = rows, number
        self.resume, self.is_over = resume, is_over
        self.skip = 0
        """Rows of the next batch that were seen already."""
        self._batches: Iterator[pa.RecordBatch] | None = None

    def next(self) -> "pa.RecordBatch | None":
        """The next batch, or None behind the last.

        Raises:
            OSError: the hub refused, or did not answer for long.
        """
        wait = WAIT_SECONDS
        for attempt in range(RETRIES + 1):
            if self.is_over:
                return None
            try:
                return self._next()
            except HTTPError as refused:
                self._batches = None
                if attempt == RETRIES or not (refused.code >= _LOST or refused.code == _BUSY):
                    raise
            except (OSError, HTTPException, pa.ArrowInvalid):
                self._batches = None
                if attempt == RETRIES:
                    raise
            time.sleep(wait)
            wait = min(wait * 2, MOST_WAIT_SECONDS)
        return None

    def _next(self) -> "pa.RecordBatch | None":
        if self._batches is None:
            self._batches = self._read()
        return next(self._batches, None)

    def _read(self) -> "Iterator[pa.RecordBatch]":
        request = Request(self.rows.url(self.number, self.resume))  # noqa: S310 - the user's own hub
        if self.rows.token:
            request.add_header("Authorization", f"Bearer {self.rows.token}")
        with (
            urlopen(request, timeout=TIMEOUT_SECONDS) as answer,  # noqa: S310 - as above
            pa.ipc.open_stream(answer) as stream,
        ):
            while True:
                try:
                    batch, told = stream.read_next_batch_with_custom_metadata()
                except StopIteration:
                    raise ConnectionError("The stream broke off before its end.") from None
                if told.get(b"hub.eos") == b"1":
                    self.is_over = True
                    return
                self.resume = told[b"hub.resume"].decode()
                yield batch


class RowStream:
    """The lanes of one reader, in turns. ``rank`` of ``world`` readers has every so-many-th."""

    def __init__(self, rows: Rows, rank: int = 0, world: int = 1) -> None:
        if not 0 <= rank < world:
            raise ValueError("rank must be below world")
        self.rows_asked, self.rank, self.world = rows, rank, world
        self._state: dict[str, Any] = {"lanes": {}, "turn": 0}

    def __iter__(self) -> "Iterator[pa.RecordBatch]":
        """Batches from the state on; while one is worked with, it counts as seen."""
        for turn, lane, batch, _, _ in self._batches():
            self._mark(turn + 1, lane, lane.resume)
            yield batch

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows from the state on; while one is worked with, it counts as seen."""
        for turn, lane, batch, before, dropped in self._batches():
            for at, row in enumerate(batch.to_pylist(), start=dropped + 1):
                self._mark(turn, lane, before, skip=at)
                yield row
            self._mark(turn + 1, lane, lane.resume)

    def _batches(self) -> "Iterator[tuple[int, Lane, pa.RecordBatch, str, int]]":
        """Turn, lane, batch, the token before it, and how many of its rows were seen before."""
        lanes = [self._lane(number) for number in self._mine]
        turn = self._state["turn"]
        while not all(lane.is_over for lane in lanes):
            lane = lanes[turn % len(lanes)]
            before = lane.resume
            batch = lane.next()
            if batch is None:
                self._mark(turn + 1, lane, lane.resume)
            else:
                dropped = min(lane.skip, batch.num_rows)
                lane.skip -= dropped
                yield turn, lane, batch.slice(dropped), before, dropped
            turn += 1

    @property
    def _mine(self) -> range:
        return range(self.rank, self.rows_asked.lanes, self.world)

    def _lane(self, number: int) -> Lane:
        at = self._state["lanes"].get(str(number), {})
        lane = Lane(self.rows_asked, number, at.get("resume", ""), is_over=at.get("is_over", False))
        lane.skip = at.get("skip", 0)
        return lane

    def _mark(self, turn: int, lane: Lane, resume: str, skip: int = 0) -> None:
        is_over = lane.is_over and not skip
        at = {"resume": resume, "skip": skip, "is_over": is_over}
        self._state["lanes"][str(lane.number)] = at
        self._state["turn"] = turn % max(len(self._mine), 1)

    def state_dict(self) -> dict[str, Any]:
        """Where this reader is: a few hundred bytes for each of its lanes, as JSON has it."""
        copied: dict[str, Any] = json.loads(json.dumps(self._state))
        return copied

    def load_state_dict(self, *states: Mapping[str, Any]) -> None:
        """Go on from the states of all readers that there were, however many there are now."""
        lanes = {number: at for state in states for number, at in state["lanes"].items()}
        turn = states[0]["turn"] if len(states) == 1 else 0
        self._state = {"lanes": json.loads(json.dumps(lanes)), "turn": turn}


try:
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError:
    pass
else:

    class RowsDataset(IterableDataset[dict[str, Any]]):  # type: ignore[misc,unused-ignore] # torch may be away
        """Rows as dicts, for a DataLoader; its workers share the lanes of their rank."""

        def __init__(self, rows: Rows, rank: int = 0, world: int = 1) -> None:
            self.rows, self.rank, self.world = rows, rank, world
            self._stream: RowStream | None = None
            self._states: tuple[Mapping[str, Any], ...] = ()

        def __iter__(self) -> Iterator[dict[str, Any]]:
            worker = get_worker_info()
            workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
            rank, world = self.rank * workers + number, self.world * workers
            self._stream = RowStream(self.rows, rank, world)
            # A state is where one pass goes on; the next pass begins at the beginning.
            states, self._states = self._states, ()
            if states:
                self._stream.load_state_dict(*states)
            yield from self._stream.rows()

        def state_dict(self) -> dict[str, Any]:
            if self._states or self._stream is None:
                waiting = RowStream(self.rows, self.rank, self.world)
                waiting.load_state_dict(*self._states)
                return waiting.state_dict()
            return self._stream.state_dict()

        def load_state_dict(self, *states: Mapping[str, Any]) -> None:
            self._states = states
