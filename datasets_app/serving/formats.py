"""Streams as bytes: Arrow, lines of JSON, CSV, Parquet."""

from collections.abc import Callable, Iterator
from io import RawIOBase
from typing import TYPE_CHECKING, Any

from datasets_app.serving.cells import dumped, values_of
from datasets_app.serving.order import Plan, Position, token_of

if TYPE_CHECKING:
    import pyarrow as pa

Batches = Iterator[tuple["pa.RecordBatch", Position]]
ARROW = "application/vnd.apache.arrow.stream"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"


class Sink(RawIOBase):
    """Takes what a writer writes, until it is fetched."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def fetch(self) -> bytes:
        """All that came since the last call."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def arrow(batches: Batches, schema: "pa.Schema", plan: Plan, codec: str | None) -> Iterator[bytes]:
    """An Arrow stream: each batch with the token to go on behind it, and at last one that says so.

    A stream that was cut off between two messages would otherwise look whole.
    """
    import pyarrow as pa  # noqa: PLC0415

    sink = Sink()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        yield sink.fetch()
        sent, last = 0, Position()
        for batch, position in batches:
            told = {"hub.resume": token_of(plan, position), "hub.row0": str(sent)}
            writer.write_batch(batch, custom_metadata=told)
            sent, last = sent + batch.num_rows, position
            yield sink.fetch()
        nothing = pa.RecordBatch.from_pylist([], schema=schema)
        told = {"hub.eos": "1", "hub.rows": str(sent), "hub.resume": token_of(plan, last)}
        writer.write_batch(nothing, custom_metadata=told)
    yield sink.fetch()


def ndjson(
    batches: Batches, schema: "pa.Schema", _plan: Plan, _codec: str | None
) -> Iterator[bytes]:
    """A line of JSON for each row."""
    import pyarrow as pa  # noqa: PLC0415

    names = schema.names
    yield b""
    for batch, _ in batches:
        columns = [values_of(pa.chunked_array([column])) for column in batch.columns]
        rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        yield b"".join(dumped(row) + b"\n" for row in rows)


def csv(batches: Batches, schema: "pa.Schema", _plan: Plan, _codec: str | None) -> Iterator[bytes]:
    """A head and a line for each row; lists and structs as JSON."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as pc  # noqa: PLC0415

    flat = pa.schema([pa.field(field.name, _flat(field.type)) for field in schema])
    sink = Sink()
    with pc.CSVWriter(sink, flat) as writer:
        yield sink.fetch()
        for batch, _ in batches:
            writer.write_batch(
                pa.RecordBatch.from_arrays(
                    [_flattened(batch.column(at), flat[at].type) for at in range(len(flat))],
                    schema=flat,
                )
            )
            yield sink.fetch()
    yield sink.fetch()


def parquet(
    batches: Batches, schema: "pa.Schema", _plan: Plan, _codec: str | None
) -> Iterator[bytes]:
    """One Parquet file; every batch is a row group."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    sink = Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd", compression_level=1) as writer:
        yield sink.fetch()
        for batch, _ in batches:
            writer.write_batch(batch)
            yield sink.fetch()
    yield sink.fetch()


def _flat(kind: "pa.DataType") -> "pa.DataType":
    import pyarrow as pa  # noqa: PLC0415

    types = pa.types
    is_text = types.is_nested(kind) or types.is_binary(kind) or types.is_dictionary(kind)
    return pa.string() if is_text or types.is_large_binary(kind) else kind


def _flattened(column: "pa.Array", kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa  # noqa: PLC0415

    if column.type == kind:
        return column
    values = values_of(pa.chunked_array([column]))
    texts = [
        value if value is None or isinstance(value, str) else dumped(value).decode()
        for value in values
    ]
    return pa.array(texts, kind)


Writer = Callable[[Batches, "pa.Schema", Plan, str | None], Iterator[bytes]]
WRITERS: dict[str, Writer] = {ARROW: arrow, NDJSON: ndjson, CSV: csv, PARQUET: parquet}
