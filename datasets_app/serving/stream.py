"""The rows of a plan as Arrow batches, each with the place behind it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datasets_app.serving.order import Plan, Position, Window, windows_of
from datasets_app.serving.rows import OpenFiles, Run, SplitRows

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 1024 * 1024
BATCH_ROWS = 65_536

Match = Callable[[Sequence[Run]], bytes]
"""Answers for each row of these runs whether it fits: a byte of 0 or 1."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large batches may be."""

    rows: int = BATCH_ROWS
    bytes: int = BATCH_BYTES

    def rows_of(self, table: "pa.Table") -> int:
        """So many rows of a table make one batch."""
        row_bytes: int = max(table.nbytes // max(table.num_rows, 1), 1)
        return max(min(self.bytes // row_bytes, self.rows), 1)


class Stream:
    """Reads a plan from any position on."""

    def __init__(self, rows: SplitRows, plan: Plan, match: Match | None, size: Size) -> None:
        self.rows, self.plan = rows, plan
        self.windows = windows_of(rows, plan)
        self._match, self._size = match, size

    @property
    def num_rows(self) -> int:
        """Of the shard, before filter, offset and limit."""
        return sum(window.rows for window in self.windows)

    def batches(self, start: Position) -> Iterator[tuple["pa.RecordBatch", Position]]:
        """Batches of at least one row, each with the position behind its last."""
        matches = start.matches
        with OpenFiles(self.rows) as opened:
            for ordinal in range(start.window, len(self.windows)):
                window = self.windows[ordinal]
                done = start.rows if ordinal == start.window else 0
                if self._is_over(matches):
                    return
                if self._match is None and matches + window.rows - done <= self.plan.offset:
                    matches += window.rows - done
                    continue
                for batch, rows, found in self._of_window(opened, window, done, matches):
                    matches = found
                    if batch.num_rows:
                        yield batch, self._behind(ordinal, window, rows, matches)
                    if self._is_over(matches):
                        return

    def _behind(self, ordinal: int, window: Window, rows: int, matches: int) -> Position:
        if rows == window.rows:
            return Position(ordinal + 1, 0, matches)
        return Position(ordinal, rows, matches)

    def _is_over(self, matches: int) -> bool:
        limit = self.plan.limit
        return limit is not None and matches >= self.plan.offset + limit

    def _of_window(
        self, opened: OpenFiles, window: Window, done: int, matches: int
    ) -> Iterator[tuple["pa.RecordBatch", int, int]]:
        """Each batch, how many rows of the window are done after it, and how many rows fit."""
        table, order = self._read(opened, window), window.order()
        fits = self._fits(window)
        step = self._size.rows_of(table)
        while done < window.rows:
            stop = min(done + step, window.rows)
            places = None if order is None else order[done:stop]
            mask = fits if fits is None else (fits[done:stop] if places is None else fits[places])
            part, matches, used = self._cut(mask, stop - done, matches)
            at = _places(places, done, part)
            chosen = (
                table.slice(at.start, at.stop - at.start)
                if isinstance(at, slice)
                else table.take(at)
            )
            done += used
            yield _one(chosen), done, matches

    def _cut(
        self, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None", rows: int, matches: int
    ) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", int, int]:
        """Which of these rows are given, how many fit by now, and how many are done with."""
        fitting = np.arange(rows) if mask is None else np.flatnonzero(mask)
        low = max(self.plan.offset - matches, 0)
        high = len(fitting)
        if self.plan.limit is not None:
            high = min(high, max(self.plan.offset + self.plan.limit - matches, 0))
        used = rows if high == len(fitting) else int(fitting[high - 1]) + 1 if high else 0
        return fitting[low:high], matches + high, used

    def _read(self, opened: OpenFiles, window: Window) -> "pa.Table":
        import pyarrow as pa  # noqa: PLC0415

        parts = []
        for run in window.runs:
            table = opened.group(run.block.ordinal, self.plan.columns, threads=True)
            parts.append(table if run.rows == run.block.rows else table[run.start : run.stop])
        table = pa.concat_tables(parts, promote_options="permissive") if parts[1:] else parts[0]
        return table.combine_chunks()

    def _fits(self, window: Window) -> "np.ndarray[tuple[int], np.dtype[np.bool_]] | None":
        if self._match is None:
            return None
        return np.frombuffer(self._match(window.runs), dtype=np.bool_)


def _places(
    order: "np.ndarray[tuple[int], np.dtype[np.int64]] | None",
    done: int,
    part: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> "slice | np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Where in the window's table the rows of a batch are; a slice where they stand together."""
    if order is not None:
        return order[part]
    if not len(part):
        return slice(0, 0)
    if part[-1] - part[0] + 1 == len(part):
        return slice(done + int(part[0]), done + int(part[-1]) + 1)
    return part + done


def _one(table: "pa.Table") -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415

    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
