"""Rows of a split by number: which row group of which file holds them, and reading just that."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from datasets_app.serving.footers import footers

if TYPE_CHECKING:
    # pyarrow takes 60 MB; a web process that shows no rows never loads it.
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class RowFile:
    """One Parquet file of a split."""

    key: str
    """Names its bytes: two files of one key are the same."""
    group_rows: Sequence[int]
    """How many rows each of its row groups has."""
    path: Path | None
    """Where it lies on this machine, if it does."""
    reader: Callable[[], RawIOBase]
    """Opens it for random reads, wherever it lies."""

    @property
    def num_rows(self) -> int:
        return sum(self.group_rows)


@dataclass(frozen=True, slots=True)
class Block:
    """A row group of a split: the unit in which rows are read, shuffled and dealt out."""

    ordinal: int
    """Its place among all row groups of the split."""
    first_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class Run:
    """Rows ``[start:stop]`` of a block."""

    block: Block
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start


Shorten = Callable[["pa.Table"], "pa.Table"]
"""What is done to the rows of each group before the next is read."""


class SplitRows:
    """All rows of a split, by number. Safe for many threads: it holds no open file."""

    def __init__(self, files: Sequence[RowFile], schema: "pa.Schema | None" = None) -> None:
        self.files = files
        self.schema = schema
        sizes = [rows for file in files for rows in file.group_rows]
        self._starts = list(accumulate(sizes, initial=0))
        self._first_groups = list(accumulate((len(file.group_rows) for file in files), initial=0))

    @property
    def num_rows(self) -> int:
        return self._starts[-1]

    @property
    def num_blocks(self) -> int:
        return len(self._starts) - 1

    def block(self, ordinal: int) -> Block:
        first = self._starts[ordinal]
        return Block(ordinal, first, self._starts[ordinal + 1] - first)

    def first_row(self, file: int) -> int:
        """The number of the first row of a file."""
        return self._starts[self._first_groups[file]]

    def runs(self, start: int, stop: int) -> Iterator[Run]:
        """The rows ``[start:stop]`` of the split as runs of blocks."""
        start, stop = max(start, 0), min(stop, self.num_rows)
        at = bisect_right(self._starts, start) - 1
        while start < stop:
            block = self.block(at)
            end = min(stop, block.first_row + block.rows)
            if end > start:
                yield Run(block, start - block.first_row, end - block.first_row)
            start, at = end, at + 1

    def place(self, ordinal: int) -> tuple[int, int]:
        """The file, and the row group in it, that a block is."""
        file = bisect_right(self._first_groups, ordinal) - 1
        return file, ordinal - self._first_groups[file]

    def read(
        self,
        runs: Iterable[Run],
        columns: Sequence[str] | None = None,
        shorten: "Shorten | None" = None,
    ) -> "pa.Table":
        """These rows as one table, in the order of the runs; each group is shortened at once."""
        import pyarrow as pa  # noqa: PLC0415

        parts: list[pa.Table] = []
        with OpenFiles(self) as opened:
            for run in runs:
                table = opened.group(run.block.ordinal, columns)
                table = table if run.rows == run.block.rows else table[run.start : run.stop]
                parts.append(shorten(table) if shorten else table)
        if not parts:
            return self._nothing(columns)
        return pa.concat_tables(parts, promote_options="permissive") if parts[1:] else parts[0]

    def page(
        self,
        start: int,
        stop: int,
        columns: Sequence[str] | None = None,
        shorten: "Shorten | None" = None,
    ) -> "pa.Table":
        """The rows ``[start:stop]``, as far as there are any."""
        return self.read(self.runs(start, stop), columns, shorten)

    def take(
        self,
        numbers: Sequence[int],
        columns: Sequence[str] | None = None,
        shorten: "Shorten | None" = None,
    ) -> "pa.Table":
        """The rows of these numbers in this order; every row group is read once."""
        import pyarrow as pa  # noqa: PLC0415

        wanted: dict[int, list[int]] = {}
        for number in sorted(set(numbers)):
            wanted.setdefault(bisect_right(self._starts, number) - 1, []).append(number)
        parts: list[pa.Table] = []
        place: dict[int, int] = {}
        with OpenFiles(self) as opened:
            for ordinal, rows in wanted.items():
                first = self._starts[ordinal]
                table = opened.group(ordinal, columns).take([row - first for row in rows])
                parts.append(shorten(table) if shorten else table)
                place.update((row, len(place)) for row in rows)
        if not parts:
            return self._nothing(columns)
        found = pa.concat_tables(parts, promote_options="permissive")
        return found.take([place[number] for number in numbers])

    def _nothing(self, columns: Sequence[str] | None) -> "pa.Table":
        import pyarrow as pa  # noqa: PLC0415

        schema = self.schema
        if schema is None:
            with OpenFiles(self) as opened:
                schema = opened.schema() if self.files else pa.schema([])
        table = schema.empty_table()
        return table.select(list(columns)) if columns is not None else table


class OpenFiles:
    """The files of a split as one reader opens them: each at most once, closed at the end."""

    def __init__(self, split: SplitRows) -> None:
        self._split = split
        self._open: dict[int, tuple[pq.ParquetFile, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def close(self) -> None:
        for reader, source in self._open.values():
            reader.close(force=True)
            source.close()
        self._open.clear()

    def group(
        self, ordinal: int, columns: Sequence[str] | None, *, threads: bool = False
    ) -> "pa.Table":
        """All rows of one block, with these columns in this order.

        ``threads`` decodes columns side by side: worth it for streams, not for pages.
        """
        file, group = self._split.place(ordinal)
        wanted = None if columns is None else list(columns)
        table = self._file(file).read_row_group(group, columns=wanted, use_threads=threads)
        table = table if wanted is None else table.select(wanted)
        return self._as_agreed(table, wanted)

    def schema(self) -> "pa.Schema":
        return self._file(0).schema_arrow

    def _as_agreed(self, table: "pa.Table", columns: list[str] | None) -> "pa.Table":
        """Linked files of a config may differ in the width of a type; readers see one."""
        schema = self._split.schema
        if schema is None:
            return table
        fields = schema if columns is None else [schema.field(name) for name in columns]
        if [field.type for field in table.schema] == [field.type for field in fields] and (
            columns is not None or table.schema.names == schema.names
        ):
            return table
        return _cast(table, list(fields))

    def _file(self, index: int) -> "pq.ParquetFile":
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        if index not in self._open:
            if len(self._open) >= MAX_OPEN:
                self.close()
            file = self._split.files[index]
            source = (
                pa.memory_map(str(file.path))
                if file.path
                else pa.PythonFile(file.reader(), mode="r")
            )
            footer = footers.get(file.key)
            reader = pq.ParquetFile(source, metadata=footer, pre_buffer=file.path is None)
            if footer is None:
                footers.put(file.key, reader.metadata)
            self._open[index] = reader, source
        return self._open[index][0]


MAX_OPEN = 32
"""Files that one reader holds open."""


def _cast(table: "pa.Table", fields: "list[pa.Field]") -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415

    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))
