"""The words of a split: a tantivy index over all its text columns, in a folder."""

import re
import tarfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tantivy

from datasets_app.errors import InvalidParameter

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
"""Of what an index is made of: an older one is made anew."""
ROW, TEXT = "row", "text"
KEPT = 4
MAX_WORDS = 64
MAX_REACH = 10_000
"""How far into the hits one may look."""
_WORD = re.compile(r"\w+")
_WRITER_BYTES = 256 * 1024 * 1024


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field(ROW, stored=False, indexed=False, fast=True)
    builder.add_text_field(TEXT, stored=False, tokenizer_name="default", index_option="freq")
    return builder.build()


def text_columns(schema: "pa.Schema") -> list[str]:
    """The columns that are text."""
    import pyarrow as pa  # noqa: PLC0415

    return [
        field.name
        for field in schema
        if pa.types.is_string(field.type)
        or pa.types.is_large_string(field.type)
        or (
            pa.types.is_dictionary(field.type)
            and (
                pa.types.is_string(field.type.value_type)
                or pa.types.is_large_string(field.type.value_type)
            )
        )
    ]


def build(folder: Path, tables: Iterable["pa.Table"], threads: int = 1) -> int:
    """Index the rows of ``tables``, all of whose columns are text; answer how many."""
    index = tantivy.Index(_schema(), path=str(folder))
    writer = index.writer(heap_size=_WRITER_BYTES, num_threads=threads)
    row = 0
    for table in tables:
        columns = [column.to_pylist() for column in table.columns]
        for values in zip(*columns, strict=True):
            document = tantivy.Document()
            document.add_unsigned(ROW, row)
            for value in values:
                if value:
                    document.add_text(TEXT, value)
            writer.add_document(document)
            row += 1
    writer.commit()
    writer.wait_merging_threads()
    return row


def pack(folder: Path, into: Path) -> None:
    """Put the files of an index into one."""
    with tarfile.open(into, "w") as archive:
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith(".tantivy"):
                archive.add(file, file.name)


def unpack(packed: Path, folder: Path) -> None:
    """The reverse; only plain files of our own names come out."""
    with tarfile.open(packed) as archive:
        for member in archive:
            if member.isfile() and "/" not in member.name:
                archive.extract(member, folder, filter="data")


class TextIndex:
    """One index, open."""

    def __init__(self, folder: str) -> None:
        self._index = tantivy.Index.open(folder)
        self._searcher = self._index.searcher()

    def search(self, text: str, offset: int, length: int) -> tuple[int, Sequence[int]]:
        """How many rows have one of the words, and the numbers of the best, from ``offset`` on."""
        words = words_of(text)
        if not words:
            return 0, ()
        if offset + length > MAX_REACH:
            raise InvalidParameter(f"Only the first {MAX_REACH} hits can be looked at.")
        query, _problems = self._index.parse_query_lenient(" ".join(words), [TEXT])
        found: Any = self._searcher.search(query, limit=max(length, 1), count=True, offset=offset)
        addresses = [address for _score, address in found.hits]
        if not addresses or not length:
            return found.count or 0, ()
        rows = self._searcher.fast_field_values(ROW, addresses)
        return found.count or 0, [int(row or 0) for row in rows]


def words_of(text: str) -> list[str]:
    """The words of a query; none of the query language's signs is left in them."""
    return [word.lower() for word in _WORD.findall(text)[:MAX_WORDS]]


class TextIndexes:
    """Those used last, open."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, TextIndex] = OrderedDict()

    def of(self, folder: str) -> TextIndex:
        if folder not in self._kept:
            self._kept[folder] = TextIndex(folder)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(folder)
        return self._kept[folder]


def batches(tables: Iterable["pa.Table"], rows: int = 4096) -> Iterator["pa.Table"]:
    """The same rows in small tables: as Python texts they take several times as much."""
    for table in tables:
        for start in range(0, table.num_rows, rows):
            yield table.slice(start, rows)
