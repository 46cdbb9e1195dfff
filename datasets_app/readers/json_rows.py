"""JSON: one object in each line, or an array of objects, at the top or under a field.

Where a column has values of types that have nothing in common, all of them are kept as the text
of JSON; that is the feature ``Json``.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import IO, Any, Final

import ijson
import orjson
import pyarrow as pa
from pyarrow import json as arrow_json

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits
from datasets_app.readers.ports import DataFile, Reading
from datasets_app.readers.schemas import cast, checked, unified
from datasets_app.readers.sources import Part, Widen, blocks, parts

_BLOCK_BYTES: Final = 8 * limits.MIB
_ROWS: Final = 1000
_WHOLE_BYTES: Final = 64 * limits.MIB
"""Of a single object that holds all rows."""

Rows = list[dict[str, Any]]


def read(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of a JSON file.

    Raises:
        UnreadableFile: it is none.
        Widen: its first rows did not tell its types.
    """
    found = parts(file, reading.told, ".json", ".jsonl", ".ndjson")
    schema, row = reading.schema, 0
    for part in found:
        for batch in _tables(part, reading, schema):
            if schema is None:
                schema = checked(batch.schema)
            elif reading.schema is None and not _holds(schema, batch.schema):
                raise Widen(_scanned(found, reading))
            yield cast(batch, schema, row)
            row += batch.num_rows


def _holds(schema: pa.Schema, other: pa.Schema) -> bool:
    """Whether nothing of ``other`` is lost in the types of ``schema``."""
    whole = unified([schema, other]).remove_metadata()
    return bool(whole.equals(schema.remove_metadata()))


def _scanned(found: Iterable[Part], reading: Reading) -> pa.Schema:
    whole: pa.Schema | None = None
    for part in found:
        for batch in _tables(part, reading, None):
            whole = batch.schema if whole is None else unified([whole, batch.schema])
    return checked(whole or pa.schema([]))


def _tables(part: Part, reading: Reading, schema: pa.Schema | None) -> Iterator[pa.RecordBatch]:
    """The rows of one stream as batches, each with the schema that it has by itself."""
    field = reading.params.get("field")
    with part.open() as stream:
        head = stream.peek(256).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]  # type: ignore[attr-defined]
        if field or head == b"[":
            yield from _of_array(stream, part.name, field, schema)
        elif head:
            yield from _of_lines(stream, part, schema)


def _of_array(
    stream: IO[bytes], name: str, field: str | None, schema: pa.Schema | None
) -> Iterator[pa.RecordBatch]:
    prefix = f"{field}.item" if field else "item"
    row = 0
    try:
        items = ijson.items(stream, prefix, use_float=True)
        while rows := list(islice(items, _ROWS)):
            yield _by_value(rows, name, row, schema)
            row += len(rows)
    except (ijson.JSONError, UnicodeError, RecursionError) as reason:
        shown = str(reason).splitlines()[0][:200]
        raise UnreadableFile(f"{name} is no JSON after row {row}: {shown}", row=row) from None


def _of_lines(stream: IO[bytes], part: Part, schema: pa.Schema | None) -> Iterator[pa.RecordBatch]:
    row = 0
    following = blocks(stream, part.name, _BLOCK_BYTES)
    for block in following:
        batches = _fast(block, schema)
        if batches is None:
            if not row and (whole := _single(block, following, part)) is not None:
                yield whole
                return
            batches = [_by_value(_lines(block, part.name, row), part.name, row, schema)]
        for batch in batches:
            yield batch
            row += batch.num_rows


def _fast(block: bytes, schema: pa.Schema | None) -> list[pa.RecordBatch] | None:
    """The library's own parser; None where it does not manage."""
    if schema is not None and any(isinstance(one.type, pa.JsonType) for one in schema):
        return None
    reading = arrow_json.ReadOptions(block_size=len(block) + 1, use_threads=False)
    parsing = arrow_json.ParseOptions(explicit_schema=_texts(schema))
    try:
        table = arrow_json.read_json(io.BytesIO(block), reading, parsing)
        table.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeError):
        return None
    return table.combine_chunks().to_batches() if table.num_rows else []


def _texts(schema: pa.Schema | None) -> pa.Schema | None:
    """The columns that are known to hold texts: one that looks like a moment stays as it is."""
    fields = [one for one in schema or () if _holds_text(one.type)]
    return pa.schema(fields) if fields else None


def _holds_text(kind: pa.DataType) -> bool:
    inner = (kind.field(index).type for index in range(kind.num_fields))
    return bool(pa.types.is_string(kind)) or any(_holds_text(one) for one in inner)


def _lines(block: bytes, name: str, row: int) -> Rows:
    rows = []
    for line in block.splitlines():
        if not line.strip():
            continue
        try:
            rows.append(orjson.loads(line.removeprefix(b"\xef\xbb\xbf")))
        except orjson.JSONDecodeError as reason:
            at = row + len(rows)
            raise UnreadableFile(f"{name}, row {at}: {reason}", row=at) from None
    return rows


def _single(block: bytes, following: Iterator[bytes], part: Part) -> pa.RecordBatch | None:
    """All rows of a file that is one object: a list for each column, or one row."""
    if _is_object(block.partition(b"\n")[0]):
        return None
    while len(block) <= _WHOLE_BYTES and (piece := next(following, b"")):
        block += piece
    try:
        found = orjson.loads(block)
    except orjson.JSONDecodeError as reason:
        raise UnreadableFile(f"{part.name} is no JSON: {reason}") from None
    if not isinstance(found, dict):
        return None
    sizes = {len(value) if isinstance(value, list) else -1 for value in found.values()}
    if len(sizes) != 1 or -1 in sizes:
        return _by_value([found], part.name, 0, None)
    rows = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    return _by_value(rows, part.name, 0, None)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _by_value(rows: Rows, name: str, row: int, schema: pa.Schema | None) -> pa.RecordBatch:
    """Rows that were parsed one by one, column by column."""
    names: dict[str, None] = {}
    for index, one in enumerate(rows):
        if not isinstance(one, dict):
            raise UnreadableFile(
                f"{name}, row {row + index}: expected an object, not {type(one).__name__}.",
                row=row + index,
            )
        names.update(dict.fromkeys(one))
    known = {one.name: one.type for one in schema} if schema else {}
    columns = [column_of([one.get(key) for one in rows], known.get(key)) for key in names]
    fields = [pa.field(key, column.type) for key, column in zip(names, columns, strict=True)]
    checked(pa.schema(fields))
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def column_of(values: list[Any], known: pa.DataType | None) -> pa.Array:
    """Values of Python as a column; as the text of JSON where they have no type in common."""
    if not isinstance(known, pa.JsonType):
        try:
            column = pa.array(values)
            if not _loses(values, column.type):
                return column
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass
    texts = [None if value is None else _text(value) for value in values]
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))


def _loses(values: list[Any], kind: pa.DataType) -> bool:
    """Arrow takes booleans for numbers among floats: that is no type in common."""
    return bool(pa.types.is_floating(kind)) and any(isinstance(value, bool) for value in values)


def _text(value: Mapping[str, Any] | Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
