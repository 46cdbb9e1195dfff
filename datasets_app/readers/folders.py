"""Folders of images, sounds, videos or PDFs: a row for each file, or for each line of metadata.

Metadata is a file that lies above what it describes; its columns ``file_name``, ``*_file_name``,
``file_names`` and ``*_file_names`` name files, relative to itself. Files are kept as they are;
nothing decodes them here. Videos are told by their paths alone.
"""

import posixpath
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from datasets_app.errors import UnreadableFile
from datasets_app.readers import delimited, json_rows, limits, parquet, streams
from datasets_app.readers.ports import DataFile, Reading, TableReader
from datasets_app.readers.schemas import cast, checked
from datasets_app.readers.sources import Widen
from datasets_app.shape.features import feature_of, with_features
from datasets_app.shape.formats import FOLDERS, METADATA_NAMES, extensions_of

_ROWS: Final = 100
_BYTES: Final = 16 * limits.MIB
FILE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_METADATA: Final[dict[str, TableReader]] = {
    ".csv": delimited.read,
    ".jsonl": json_rows.read,
    ".parquet": parquet.read,
}


@dataclass(frozen=True, slots=True)
class Media:
    """One file, by its path in the repo or in the archive that it came in."""

    name: str
    size: int
    read: Callable[[], bytes]

    def value(self, *, embedded: bool) -> dict[str, Any]:
        if self.size > limits.MAX_CELL:
            raise UnreadableFile(f"{self.name} is larger than {limits.MAX_CELL:,} bytes.")
        name = self.name.rpartition("/")[2] if embedded else self.name
        return {"bytes": self.read() if embedded else None, "path": name}


def read(files: Sequence[DataFile], builder: str, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of a folder.

    Raises:
        UnreadableFile: an archive or the metadata cannot be read, or names what is not there.
    """
    with ExitStack() as stack:
        media = {one.name: one for one in _media(files, builder, stack)}
        described = [one for one in files if one.name.rpartition("/")[2] in METADATA_NAMES[builder]]
        if described and not reading.params.get("drop_metadata"):
            rows = _described(described, media, builder, reading)
        else:
            rows = _plain(media, builder, reading)
        told = 0
        for batch in rows:
            told += batch.nbytes
            reading.told(told)
            yield batch


def _media(files: Sequence[DataFile], builder: str, stack: ExitStack) -> Iterator[Media]:
    suffixes = tuple(one for one in extensions_of(builder) if one != ".zip")
    for file in files:
        if file.name.lower().endswith(".zip"):
            yield from _zipped(file, suffixes, stack)
        elif file.name.endswith(suffixes):
            yield Media(file.name, file.size, file.path.read_bytes)


def _zipped(file: DataFile, suffixes: tuple[str, ...], stack: ExitStack) -> Iterator[Media]:
    archive = stack.enter_context(streams.zipped(file.path, file.name))
    for one in streams.members(archive, file.name):
        if one.filename.endswith(suffixes):
            yield Media(one.filename, one.file_size, _reader(archive, one, file.name))


def _reader(archive: zipfile.ZipFile, one: zipfile.ZipInfo, name: str) -> Callable[[], bytes]:
    def read_it() -> bytes:
        with streams.member(archive, one, name) as stream:
            return stream.read(limits.MAX_CELL)

    return read_it


def _plain(media: dict[str, Media], builder: str, reading: Reading) -> Iterator[pa.RecordBatch]:
    column = FOLDERS[builder]
    labels = reading.params.get("labels")
    fields: list[tuple[str, pa.DataType]] = [(column, FILE)]
    features: dict[str, Any] = {column: {"_type": column.capitalize()}}
    if labels is not None:
        fields.append(("label", pa.int64()))
        features["label"] = {"names": labels, "_type": "ClassLabel"}
    schema = with_features(pa.schema(fields), features)
    numbers = {label: number for number, label in enumerate(labels or [])}

    def row(one: Media) -> dict[str, Any]:
        found = {column: one.value(embedded=builder != "videofolder")}
        folder = one.name.rpartition("/")[0].rpartition("/")[2]
        return found | ({"label": numbers.get(folder)} if labels is not None else {})

    yield from _batched((row(one) for one in media.values()), schema)


def _batched(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    waiting: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        waiting.append(row)
        size += sum(_bytes(value) for value in row.values())
        if len(waiting) >= _ROWS or size >= _BYTES:
            yield pa.RecordBatch.from_pylist(waiting, schema=schema)
            waiting, size = [], 0
    if waiting:
        yield pa.RecordBatch.from_pylist(waiting, schema=schema)


def _bytes(value: Any) -> int:
    if isinstance(value, list):
        return sum(_bytes(one) for one in value)
    return len(value.get("bytes") or b"") if isinstance(value, dict) else 0


def _described(
    described: Sequence[DataFile], media: dict[str, Media], builder: str, reading: Reading
) -> Iterator[pa.RecordBatch]:
    schema = reading.schema
    for file in described:
        for batch in _table(file):
            renamed = _renamed(batch.schema, builder, file.name)
            if schema is None:
                schema = _schema(batch.schema, renamed, builder)
            columns = [
                _filled(batch.column(name), name, renamed, (file, media, builder))
                for name in batch.schema.names
            ]
            names = [renamed.get(name, name) for name in batch.schema.names]
            whole = pa.RecordBatch.from_arrays(columns, names=names)
            for start in range(0, whole.num_rows, _ROWS):
                yield cast(whole.slice(start, _ROWS), schema, start)


def _table(file: DataFile) -> Iterator[pa.RecordBatch]:
    """The rows of a metadata file, a few at a time, since what they name is far larger."""
    reader = _METADATA[posixpath.splitext(file.name)[1]]
    reading = Reading()
    try:
        batches = list(reader(file, reading))
    except Widen as found:
        batches = list(reader(file, Reading(schema=found.schema)))
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            yield batch.slice(start, _ROWS)


def _renamed(schema: pa.Schema, builder: str, name: str) -> dict[str, str]:
    """The columns that name files, and what they are called in the rows."""
    column = FOLDERS[builder]
    found = {}
    for field in schema:
        if field.name == "file_name" or field.name.endswith("_file_name"):
            found[field.name] = field.name[: -len("_file_name")] or column
        elif field.name == "file_names" or field.name.endswith("_file_names"):
            found[field.name] = field.name[: -len("_file_names")] or f"{column}s"
    if not found:
        raise UnreadableFile(
            f"{name}: `file_name`, `*_file_name`, `file_names` or `*_file_names` must be a column "
            "of metadata files."
        )
    return found


def _schema(schema: pa.Schema, renamed: dict[str, str], builder: str) -> pa.Schema:
    fields: list[tuple[str, pa.DataType]] = []
    features: dict[str, Any] = {}
    media = {"_type": FOLDERS[builder].capitalize()}
    for field in schema:
        name = renamed.get(field.name, field.name)
        if field.name not in renamed:
            fields.append((name, field.type))
            features[name] = feature_of(field.type)
        elif pa.types.is_list(field.type):
            fields.append((name, pa.list_(FILE)))
            features[name] = {"feature": media, "_type": "List"}
        else:
            fields.append((name, FILE))
            features[name] = media
    return checked(with_features(pa.schema(fields), features))


def _filled(
    column: pa.Array,
    name: str,
    renamed: dict[str, str],
    context: tuple[DataFile, dict[str, Media], str],
) -> pa.Array:
    if name not in renamed:
        return column
    values = [_value(item, context) for item in column.to_pylist()]
    is_list = pa.types.is_list(column.type)
    return pa.array(values, pa.list_(FILE) if is_list else FILE)


def _value(item: Any, context: tuple[DataFile, dict[str, Media], str]) -> Any:
    if item is None or isinstance(item, list):
        return None if item is None else [_value(one, context) for one in item]
    file, media, builder = context
    folder = posixpath.dirname(file.name)
    path = posixpath.normpath(posixpath.join(folder, str(item)))
    is_inside = path == posixpath.normpath(path) and not path.startswith(("../", "/"))
    found = media.get(path) or media.get(str(item))
    if "://" in str(item) or not is_inside or found is None:
        raise UnreadableFile(f"{file.name} names {str(item)[:200]!r}, which is not there.")
    return found.value(embedded=builder != "videofolder")
