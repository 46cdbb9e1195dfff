"""ShardWriter: rows into Parquet files as the export has them; the same rows give the same bytes.

zstd at level 1, row groups of about 2 MiB (100 to 50,000 rows), dictionaries only where values
repeat, byte streams split for vectors of floats, page indexes, statistics.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits

SHARD_BYTES: Final = 500_000_000
"""Of rows in memory: a shard has no more of them."""
_GROUP_BYTES: Final = 2 * limits.MIB
_LARGE_GROUP_BYTES: Final = 16 * limits.MIB
_HEAVY_BYTES: Final = 2 * _LARGE_GROUP_BYTES
_LEAST_ROWS: Final = 100
_MOST_ROWS: Final = 50_000
_HEAD_ROWS: Final = 10_000
_HEAD_BYTES: Final = 16 * limits.MIB
_MOST_CHUNKS: Final = 200_000
"""Columns times row groups of a file: its footer has an entry for each, and is read whole."""
_PAGE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Groups:
    """Where in a Parquet file its row groups lie."""

    rows: list[int]
    offsets: list[int]
    lengths: list[int]


@dataclass(frozen=True, slots=True)
class Written:
    """One file."""

    path: Path
    num_rows: int
    num_bytes_memory: int
    groups: Groups


def groups_of(metadata: pq.FileMetaData) -> Groups:
    """What a footer says of its row groups."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    starts = [
        min((_start(group.column(at)) for at in range(group.num_columns)), default=0)
        for group in groups
    ]
    lengths = [
        sum(group.column(at).total_compressed_size for at in range(group.num_columns))
        for group in groups
    ]
    return Groups([group.num_rows for group in groups], starts, lengths)


def _start(column: pq.ColumnChunkMetaData) -> int:
    dictionary = column.dictionary_page_offset
    start: int = column.data_page_offset
    return start if dictionary is None else min(start, dictionary)


class ShardWriter:
    """Takes batches of one schema, and writes as many files as they fill."""

    def __init__(self, folder: Path, schema: pa.Schema, *, most_bytes: int, name: str = "") -> None:
        self._folder, self._schema, self._name = folder, schema, name
        self._most_bytes, self._all_bytes = most_bytes, 0
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._file: pq.ParquetWriter | None = None
        self._path = folder
        self._group_rows = 0
        self._rows = self._bytes = self._chunks = 0
        self._count = 0

    def write(self, batch: pa.RecordBatch) -> Iterator[Written]:
        """Take rows; answer the files that are whole by now.

        Raises:
            UnreadableFile: it is more than a file of that size may give.
        """
        for part in _parts(batch):
            size = part.get_total_buffer_size() if part.num_rows == batch.num_rows else part.nbytes
            self._all_bytes += size
            if self._all_bytes > self._most_bytes:
                raise UnreadableFile(
                    f"{self._name} gives more than {self._most_bytes:,} bytes of rows.",
                    viewer_code="TooBigContentError",
                )
            self._waiting.append(part)
            self._waiting_rows += part.num_rows
            self._waiting_bytes += size
            if self._is_due():
                self._write_groups(all_of_it=False)
            if self._bytes >= SHARD_BYTES or self._chunks >= _MOST_CHUNKS:
                yield self._close()

    def finish(self) -> Written | None:
        """The last file; there is always one, even without rows."""
        self._write_groups(all_of_it=True)
        if self._file is None and self._count:
            return None
        if self._file is None:
            self._begin(pa.Table.from_batches([], self._schema))
        return self._close()

    def _is_due(self) -> bool:
        if self._file is None:
            return self._waiting_rows >= _HEAD_ROWS or self._waiting_bytes >= _HEAD_BYTES
        return self._waiting_rows >= self._group_rows or self._waiting_bytes >= _HEAVY_BYTES

    def _write_groups(self, *, all_of_it: bool) -> None:
        if not self._waiting_rows:
            return
        table = pa.Table.from_batches(self._waiting, self._schema)
        if self._file is None:
            self._begin(table)
        assert self._file is not None  # noqa: S101 - just begun
        # Rows that are much larger than those at the head of the file come in groups of fewer.
        step = self._group_rows
        if table.nbytes * step > _HEAVY_BYTES * table.num_rows:
            step = min(step, _rows_of_group(table))
        whole = table.num_rows if all_of_it else table.num_rows - table.num_rows % step
        for start in range(0, whole, step):
            group = table.slice(start, min(step, whole - start))
            self._check_cells(group)
            self._file.write_table(group, row_group_size=step)
            self._rows += group.num_rows
            self._bytes += group.nbytes
            self._chunks += group.num_columns
        rest = table.slice(whole)
        self._waiting = rest.to_batches() if rest.num_rows else []
        self._waiting_rows, self._waiting_bytes = rest.num_rows, rest.nbytes

    def _check_cells(self, group: pa.Table) -> None:
        if group.num_rows == 1 and group.nbytes > limits.MAX_CELL:
            raise UnreadableFile(
                f"{self._name}: a row is larger than {limits.MAX_CELL:,} bytes.",
                viewer_code="TooBigContentError",
            )

    def _begin(self, head: pa.Table) -> None:
        self._path = self._folder / f"{self._count:04}.parquet"
        self._count += 1
        self._group_rows = _rows_of_group(head)
        self._rows = self._bytes = self._chunks = 0
        self._file = pq.ParquetWriter(
            self._path,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=_repeating(head),
            use_byte_stream_split=_float_vectors(self._schema),
            data_page_size=_PAGE_BYTES,
            write_page_index=True,
            write_statistics=True,
        )

    def _close(self) -> Written:
        assert self._file is not None  # noqa: S101 - whoever closes has begun
        self._file.close()
        self._file = None
        with pq.ParquetFile(self._path) as made:
            groups = groups_of(made.metadata)
        return Written(self._path, self._rows, self._bytes, groups)


def _parts(batch: pa.RecordBatch) -> Iterable[pa.RecordBatch]:
    """Batches of bounded size: a reader's may be as large as a block of its file."""
    if batch.num_rows <= _LEAST_ROWS or batch.nbytes <= _HEAD_BYTES:
        return [batch]
    rows = max(_LEAST_ROWS, batch.num_rows * _HEAD_BYTES // batch.nbytes)
    return (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def _rows_of_group(head: pa.Table) -> int:
    if not head.num_rows:
        return _MOST_ROWS
    average = max(head.nbytes / head.num_rows, 1)
    rows = int(_GROUP_BYTES / average)
    if rows >= _LEAST_ROWS:
        return min(rows, _MOST_ROWS)
    return max(1, min(_LEAST_ROWS, int(_LARGE_GROUP_BYTES / average)))


def _repeating(head: pa.Table) -> list[str]:
    """Columns of text and integers half of whose first values come more than once."""
    found = []
    for field, column in zip(head.schema, head.columns, strict=True):
        is_kind = pa.types.is_integer(field.type) or pa.types.is_string(field.type)
        if is_kind and head.num_rows:
            first = column.slice(0, _HEAD_ROWS)
            if pc.count_distinct(first).as_py() * 2 <= len(first):
                found.append(field.name)
    return found


def _float_vectors(schema: pa.Schema) -> list[str]:
    return [
        f"{field.name}.list.element"
        for field in schema
        if _is_list(field.type) and pa.types.is_floating(field.type.value_type)
    ]


def _is_list(kind: Any) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
