"""WebDataset: tar files whose members with one stem are one row; each suffix is a column.

Text, numbers, JSON and arrays of numpy are decoded. Whatever could run code is kept as bytes.
"""

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits, streams
from datasets_app.readers.folders import FILE
from datasets_app.readers.json_rows import column_of
from datasets_app.readers.ports import DataFile, Reading
from datasets_app.readers.schemas import cast, checked, unified
from datasets_app.readers.sources import Widen
from datasets_app.shape.features import feature_of, with_features
from datasets_app.shape.formats import BUILDERS, FOLDERS

_NAME: Final = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)")
_ROWS: Final = 100
_BYTES: Final = 16 * limits.MIB


def _npy(data: bytes) -> Any:
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False).tolist()


_DECODERS: Final[dict[str, Callable[[bytes], Any]]] = {
    **dict.fromkeys(("txt", "text", "transcript"), bytes.decode),
    **dict.fromkeys(("cls", "cls2", "index", "inx", "id"), int),
    **dict.fromkeys(("json", "jsn"), json.loads),
    "npy": _npy,
}

Row = dict[str, Any]


def read(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of a tar file.

    Raises:
        UnreadableFile: it is none.
        Widen: later rows have other columns than the first.
    """
    schema, row = reading.schema, 0
    for batch in _batches(file, reading):
        if schema is None:
            schema = checked(batch.schema)
        elif reading.schema is None and not unified([schema, batch.schema]).equals(schema):
            raise Widen(checked(unified(one.schema for one in _batches(file, reading))))
        yield cast(batch, schema, row)
        row += batch.num_rows


def _batches(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    waiting: list[Row] = []
    size = 0
    with streams.opened(file.path, file.name, reading.told) as stream:
        for row, nbytes in _rows(stream, file.name):
            waiting.append(row)
            size += nbytes
            if len(waiting) >= _ROWS or size >= _BYTES:
                yield _batch(waiting)
                waiting, size = [], 0
    if waiting:
        yield _batch(waiting)


def _rows(stream: IO[bytes], name: str) -> Iterator[tuple[Row, int]]:
    row: Row = {}
    stem, size = "", 0
    for member, data in _members(stream, name):
        match = _NAME.fullmatch(member)
        if match is None:
            continue
        if row and match[1] != stem:
            yield _keyed(row, stem, name), size
            row, size = {}, 0
        stem = match[1]
        if match[2] in row:
            raise UnreadableFile(f"{name}: the field {match[2]!r} of {stem!r} comes twice.")
        row[match[2]] = _decoded(match[2], data, f"{name}/{member}")
        size += len(data)
    if row:
        yield _keyed(row, stem, name), size


def _keyed(row: Row, stem: str, name: str) -> Row:
    kept = {
        field: {"bytes": value, "path": f"{stem}.{field}"} if _media(field) else value
        for field, value in row.items()
    }
    return {**kept, "__key__": stem, "__url__": name}


def _members(stream: IO[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    count = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                count += 1
                if count > limits.MAX_MEMBERS:
                    raise UnreadableFile(f"{name} has more than {limits.MAX_MEMBERS:,} members.")
                # Links, devices and folders are no data; names are only ever names here.
                if not member.isreg():
                    continue
                if member.size > limits.MAX_CELL:
                    raise UnreadableFile(
                        f"{name}/{member.name} is larger than {limits.MAX_CELL:,} bytes."
                    )
                found = archive.extractfile(member)
                if found is not None:
                    yield member.name, found.read()
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as reason:
        raise UnreadableFile(f"{name} is no tar file that can be read: {reason}") from None


def _decoded(field: str, data: bytes, name: str) -> Any:
    decode = _DECODERS.get(field.rpartition(".")[2].lower())
    if decode is None:
        return data
    try:
        return decode(data)
    except (ValueError, RecursionError, MemoryError, EOFError) as reason:
        shown = (str(reason).splitlines() or ["it is broken"])[0][:200]
        raise UnreadableFile(f"{name} cannot be decoded: {shown}", column=field) from None


def _media(field: str) -> str | None:
    builder = BUILDERS.get(f".{field.rpartition('.')[2].lower()}", "")
    return FOLDERS.get(builder)


def _batch(rows: list[Row]) -> pa.RecordBatch:
    names = dict.fromkeys(name for row in rows for name in row)
    # The key and the address come last, whichever row had which fields.
    order = [*(name for name in names if not name.startswith("__")), "__key__", "__url__"]
    columns, features = [], {}
    for name in order:
        values = [row.get(name) for row in rows]
        media = _media(name)
        column = pa.array(values, FILE) if media else column_of(values, None)
        columns.append(column)
        features[name] = {"_type": media.capitalize()} if media else feature_of(column.type)
    schema = pa.schema(list(zip(order, (one.type for one in columns), strict=True)))
    return pa.RecordBatch.from_arrays(columns, schema=with_features(schema, features))
