"""run: one task, from files to shards; what a child does once its limits stand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from datasets_app.errors import UnreadableFile, Unresolvable
from datasets_app.readers import (
    arrow_ipc,
    delimited,
    folders,
    json_rows,
    limits,
    parquet,
    plain_text,
    webdataset,
)
from datasets_app.readers.ports import DataFile, Reading, TableReader
from datasets_app.readers.schemas import cast, checked
from datasets_app.readers.sources import Widen
from datasets_app.readers.task import Task, packed, unpacked
from datasets_app.readers.writing import ShardWriter, Written, groups_of
from datasets_app.shape.features import features_of, with_features
from datasets_app.shape.formats import FOLDERS

Tell = Callable[[str, Any], None]

READERS: Final[dict[str, TableReader]] = {
    "csv": delimited.read,
    "json": json_rows.read,
    "text": plain_text.read,
    "parquet": parquet.read,
    "arrow": arrow_ipc.read,
    "webdataset": webdataset.read,
}

PREVIEW_ROWS: Final = 100
PREVIEW_BYTES: Final = limits.MIB
_LARGE_GROUP: Final = 64 * limits.MIB
_LARGE_FOOTER: Final = 8 * limits.MIB
"""It is read anew for every page, or kept in memory at several times its size."""
_UNINDEXED_GROUP: Final = 8 * limits.MIB


def run(task: Task, tell: Tell) -> None:
    """Do a task; whatever comes of it is told."""
    try:
        schema = {"export": _export, "link": _link, "preview": _preview}[task.mode](task, tell)
    except UnreadableFile as bad:
        told: dict[str, Any] = {"code": bad.viewer_code, "message": bad.message}
        told |= {"column": bad.column} if bad.column is not None else {}
        told |= {"row": bad.row} if bad.row is not None else {}
        tell("error", told)
    except Unresolvable as bad:
        tell("error", {"code": bad.viewer_code, "message": bad.message})
    except (UnicodeError, RecursionError) as bad:
        message = f"{task.files[0]['name']} is no such file as it says: {bad}"
        tell("error", {"code": "DatasetGenerationError", "message": message[:500]})
    except (MemoryError, pa.ArrowMemoryError):
        tell("error", {"code": "TooBigContentError", "message": "It takes too much memory."})
    else:
        tell("schema", packed(schema))


def _files(task: Task) -> list[DataFile]:
    return [DataFile(one["name"], Path(one["path"]), one["size"]) for one in task.files]


def _batches(task: Task, reading: Reading) -> Iterator[pa.RecordBatch]:
    if task.builder in FOLDERS:
        yield from folders.read(_files(task), task.builder, reading)
        return
    for file in _files(task):
        yield from READERS[task.builder](file, reading)


def _reading(task: Task, tell: Tell, rows: int | None = None) -> Reading:
    schema = None if task.schema is None else checked(unpacked(task.schema))
    return Reading(task.params, schema, rows, lambda at: tell("read", at))


def _export(task: Task, tell: Tell) -> pa.Schema:
    reading = _reading(task, tell)
    try:
        return _write(task, reading, tell)
    except Widen as found:
        for left in Path(task.out).iterdir():
            left.unlink()
        tell("again", 1)
        again = Reading(task.params, found.schema, None, reading.told)
        return _write(task, again, tell)


def _write(task: Task, reading: Reading, tell: Tell) -> pa.Schema:
    writer = schema = None
    most = limits.most_output(sum(file.size for file in _files(task)))
    for batch in _batches(task, reading):
        if writer is None or schema is None:
            schema = with_features(batch.schema, features_of(batch.schema))
            writer = ShardWriter(
                Path(task.out), schema, most_bytes=most, name=task.files[0]["name"]
            )
        for done in writer.write(cast(batch, schema, 0)):
            tell("shard", _told(done))
    if writer is None or schema is None:
        schema = with_features(reading.schema or pa.schema([]), {})
        if not len(schema):
            raise UnreadableFile(
                f"{task.files[0]['name']} has no rows.", viewer_code="EmptyDatasetError"
            )
        writer = ShardWriter(Path(task.out), schema, most_bytes=most)
    last = writer.finish()
    if last is not None:
        tell("shard", _told(last))
    return schema


def _told(done: Written) -> dict[str, Any]:
    return {
        "file": str(done.path),
        "num_rows": done.num_rows,
        "num_bytes_memory": done.num_bytes_memory,
        **asdict(done.groups),
    }


def _link(task: Task, tell: Tell) -> pa.Schema:
    """Look at all of a Parquet file; where its groups are too large to page, write smaller ones."""
    [file] = _files(task)
    with parquet.opened(file) as found:
        metadata = found.metadata
        groups = groups_of(metadata)
        is_large = metadata.serialized_size > _LARGE_FOOTER or any(
            _is_large(metadata.row_group(at)) for at in range(metadata.num_row_groups)
        )
        schema = with_features(found.schema_arrow, features_of(found.schema_arrow))
    most = limits.most_output(file.size)
    rows = size = 0
    writer = (
        ShardWriter(Path(task.out), schema, most_bytes=most, name=file.name) if is_large else None
    )
    repacked: list[Written] = []
    decoded = Decoded(groups.rows)
    for batch in _batches(task, _reading(task, tell)):
        rows += batch.num_rows
        size += batch.nbytes
        if size > most:
            raise UnreadableFile(
                f"{file.name} gives more than {most:,} bytes of rows.",
                viewer_code="TooBigContentError",
            )
        decoded.add(batch)
        if writer is not None:
            repacked += writer.write(cast(batch, schema, 0))
    if writer is None and decoded.most > _LARGE_GROUP:
        # The footer says less than there is: dictionaries do that, and so do liars.
        writer = ShardWriter(Path(task.out), schema, most_bytes=most, name=file.name)
        for batch in _batches(task, _reading(task, tell)):
            repacked += writer.write(cast(batch, schema, 0))
    tell("link", {"num_rows": rows, "num_bytes_memory": size, **asdict(groups)})
    last = writer.finish() if writer is not None else None
    for done in [*repacked, *([last] if last else [])]:
        tell("shard", _told(done))
    return schema


class Decoded:
    """How many bytes the largest row group of a file comes to once it is read."""

    def __init__(self, groups: Sequence[int]) -> None:
        self._groups = iter(groups)
        self._left = self._bytes = self.most = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch, which is of one row group."""
        while self._left <= 0:
            self._left, self._bytes = next(self._groups, batch.num_rows or 1), 0
        self._left -= batch.num_rows
        self._bytes += batch.nbytes
        self.most = max(self.most, self._bytes)


def _is_large(group: Any) -> bool:
    size: int = group.total_byte_size
    if size > _LARGE_GROUP:
        return True
    has_index = all(group.column(at).has_offset_index for at in range(group.num_columns))
    return size > _UNINDEXED_GROUP and not has_index


def _preview(task: Task, tell: Tell) -> pa.Schema:
    """The first rows of the first file, as an Arrow stream."""
    kept: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in _first(task, _reading(task, tell, PREVIEW_ROWS)):
        part = batch.slice(0, PREVIEW_ROWS - rows)
        while part.num_rows > 1 and size + part.nbytes > PREVIEW_BYTES:
            part = part.slice(0, part.num_rows // 2)
        kept.append(part)
        rows, size = rows + part.num_rows, size + part.nbytes
        if rows >= PREVIEW_ROWS or size >= PREVIEW_BYTES or part.num_rows < batch.num_rows:
            break
    schema = kept[0].schema if kept else pa.schema([])
    schema = with_features(schema, features_of(schema))
    path = Path(task.out) / "preview.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        for batch in kept:
            stream.write_batch(cast(batch, schema, 0))
    return schema


def _first(task: Task, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The first batches; of a file that was cut the end may be broken."""
    given = False
    try:
        for batch in _batches(task, reading):
            given = given or batch.num_rows > 0
            yield batch
    except (UnreadableFile, Widen):
        if not given:
            raise
