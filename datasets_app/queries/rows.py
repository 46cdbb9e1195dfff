"""Rows of a split: found once, remembered while they are asked for, read by number."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from datasets_app.errors import NotReady, Unviewable
from datasets_app.models import Config, Shard, Split, State
from datasets_app.queries.local_files import ContentReader, on_disk, path_of
from datasets_app.queries.sources import check_sources
from datasets_app.queries.splits import content_of, shards_of
from datasets_app.serving.features import Feature, features_of
from datasets_app.serving.pool import pool
from datasets_app.serving.rows import RowFile, Shorten, SplitRows
from datasets_app.serving.shortened import check_size, shortened
from hub.models import Repo
from hub.storage.large_files import Content

if TYPE_CHECKING:
    import pyarrow as pa

KEPT = 256
FRESH_SECONDS = 60.0
"""So long a process believes what it knows of a split's files."""
_COUNTS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """A split whose rows can be read."""

    split_id: int
    rows: SplitRows
    features: Mapping[str, Feature]
    contents: Sequence[Content]

    @property
    def columns(self) -> list[str]:
        return list(self.features)

    def tables(self) -> dict[str, list[str]]:
        """Its files, as children that filter are told of them; brought here if need be."""
        return {"data": [str(path) for path in on_disk(self.contents)]}

    def page(self, start: int, stop: int) -> "pa.Table":
        """Rows to be shown: see :mod:`datasets_app.serving.shortened`.

        Raises:
            Unviewable: they are too large together.
        """
        return self.rows.page(start, stop, shorten=self._shorten())

    def take(self, numbers: Sequence[int], columns: Sequence[str] | None = None) -> "pa.Table":
        """The same for rows by their numbers."""
        return self.rows.take(numbers, columns, shorten=self._shorten())

    def _shorten(self) -> Shorten:
        size = 0

        def shorten(table: "pa.Table") -> "pa.Table":
            nonlocal size
            kept = shortened(table, self.features)
            size += kept.nbytes
            check_size(size)
            return kept

        return shorten

    def first_rows(self) -> list[int]:
        return [self.rows.first_row(at) for at in range(len(self.rows.files))]


_kept: OrderedDict[int, tuple[float, Found]] = OrderedDict()
_counts: OrderedDict[tuple[int, str], int] = OrderedDict()
_lock = Lock()


def rows_of(repo: Repo, split: Split) -> Found:
    """The rows of a split of ``repo``.

    Raises:
        NotReady: they are still being brought to Parquet.
        Unviewable: they cannot be.
        EntryNotFound, FileWithheld: the files that they are made of are not to be seen.
    """
    check_ready(split)
    with _lock:
        at, found = _kept.get(split.pk, (0.0, None))
        if found is not None and monotonic() - at < FRESH_SECONDS:
            _kept.move_to_end(split.pk)
            return found
    found = _find(repo, split)
    with _lock:
        _kept[split.pk] = (monotonic(), found)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return found


def check_ready(part: Split | Config) -> None:
    """Refuse what is not ready.

    Raises:
        NotReady, Unviewable: as :func:`rows_of`.
    """
    if part.state == State.FAILED:
        message = str((part.error or {}).get("message", ""))
        raise Unviewable(part.error_code or "DatasetGenerationError", message)
    if part.state != State.READY:
        raise NotReady


@dataclass(frozen=True, slots=True)
class Condition:
    """Which rows, in which order; empty texts for all as they are."""

    where: str = ""
    orderby: str = ""


def filtered(
    found: Found, condition: Condition, offset: int, length: int, caller: str
) -> tuple[int, list[int]]:
    """How many rows fit, and the numbers of those from ``offset`` on.

    Raises:
        InvalidParameter: the condition is none.
        QueryTooHeavy: it took too much time or memory.
        TooManyQueries: try again later.
    """
    known = (found.split_id, condition.where)
    question = {
        "ask": "filter",
        "tables": found.tables(),
        "first_rows": found.first_rows(),
        "columns": found.columns,
        "where": condition.where,
        "orderby": condition.orderby,
        "offset": offset,
        "length": length,
        "total": _counts.get(known),
    }
    answer = pool.ask(question, caller)
    total = int(answer.head["total"])
    with _lock:
        _counts[known] = total
        while len(_counts) > _COUNTS_KEPT:
            _counts.popitem(last=False)
    numbers: list[int] = np.frombuffer(answer.body, dtype=np.int64).tolist()
    return total, numbers


def _find(repo: Repo, split: Split) -> Found:
    import pyarrow as pa  # noqa: PLC0415 - a hub without datasets never pays for it

    check_sources(repo, split)
    shards = shards_of(split)
    contents = [content_of(repo, shard) for shard in shards]
    config = split.config
    schema = (
        pa.ipc.read_schema(pa.py_buffer(bytes(config.arrow_schema)))
        if config.arrow_schema
        else pa.schema([])
    )
    files = [_file(shard, content) for shard, content in zip(shards, contents, strict=True)]
    rows = SplitRows(files, schema.remove_metadata())
    return Found(split.pk, rows, features_of(schema, config.features), contents)


def _file(shard: Shard, content: Content) -> RowFile:
    return RowFile(
        content.etag, tuple(shard.group_rows), path_of(content), lambda: ContentReader(content)
    )
