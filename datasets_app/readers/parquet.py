"""Parquet: the rows of a file, decoded in small batches because its footer proves nothing."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
from pyarrow import parquet as pq

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits
from datasets_app.readers.ports import DataFile, Reading
from datasets_app.readers.schemas import cast, checked

_BATCH_ROWS: Final = 1024
_THRIFT_ITEMS: Final = 10_000_000


def opened(file: DataFile) -> pq.ParquetFile:
    """A Parquet file, its footer read.

    Raises:
        UnreadableFile: it is none.
    """
    try:
        return pq.ParquetFile(
            file.path,
            thrift_string_size_limit=limits.MAX_FOOTER,
            thrift_container_size_limit=_THRIFT_ITEMS,
            pre_buffer=False,
            buffer_size=limits.MIB,
        )
    except (pa.ArrowException, OSError, ValueError) as reason:
        raise UnreadableFile(f"{file.name} is no Parquet file: {_first_line(reason)}") from None


def read(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file, group by group.

    Raises:
        UnreadableFile: it is none, or its pages are not what its footer says.
    """
    with opened(file) as found:
        schema = checked(found.schema_arrow)
        columns = reading.params.get("columns")
        wanted = [name for name in schema.names if not columns or name in columns]
        told = reading.schema or pa.schema([schema.field(name) for name in wanted], schema.metadata)
        row = 0
        try:
            for group in range(found.num_row_groups):
                for batch in found.iter_batches(
                    _BATCH_ROWS, row_groups=[group], columns=wanted, use_threads=False
                ):
                    batch.validate(full=True)
                    yield cast(batch, told, row)
                    row += batch.num_rows
                reading.told(file.size * (group + 1) // max(found.num_row_groups, 1))
        except (pa.ArrowException, OSError, ValueError) as reason:
            raise UnreadableFile(
                f"{file.name}, after row {row}: {_first_line(reason)}", row=row
            ) from None
        if row != found.metadata.num_rows:
            raise UnreadableFile(
                f"{file.name} has {row:,} rows; its footer says {found.metadata.num_rows:,}."
            )
        if not row:
            yield pa.RecordBatch.from_pylist([], schema=told)


def _first_line(reason: BaseException) -> str:
    return (str(reason).splitlines() or [type(reason).__name__])[0][:300]
