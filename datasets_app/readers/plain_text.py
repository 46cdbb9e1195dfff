"""Text: a row for each line, paragraph or document."""

import io
from collections.abc import Iterator
from typing import IO, Final

import pyarrow as pa

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits
from datasets_app.readers.ports import DataFile, Reading
from datasets_app.readers.sources import Part, parts

_BLOCK_CHARS: Final = 8 * limits.MIB
_SCHEMA: Final = pa.schema([("text", pa.string())])


def read(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of a text file.

    Raises:
        UnreadableFile: it is not in its encoding, or a row is too long.
    """
    for part in parts(file, reading.told, ".txt"):
        with part.open() as stream:
            yield from _of_part(stream, part, reading)


def _of_part(stream: IO[bytes], part: Part, reading: Reading) -> Iterator[pa.RecordBatch]:
    encoding = str(reading.params.get("encoding") or "utf-8")
    sample_by = reading.params.get("sample_by", "line")
    try:
        # Any line break becomes one, as for Python and the datasets library.
        text = io.TextIOWrapper(stream, encoding=encoding)
        rows = _documents(text, part.name) if sample_by == "document" else None
        if rows is None and sample_by == "paragraph":
            rows = _paragraphs(text, part.name)
        for texts in rows or _lines(text, part.name, bool(reading.params.get("keep_linebreaks"))):
            yield pa.RecordBatch.from_arrays([pa.array(texts, pa.string())], schema=_SCHEMA)
    except (UnicodeError, LookupError) as reason:
        raise UnreadableFile(f"{part.name} is no text in {encoding}: {reason}") from None


def _lines(text: IO[str], name: str, keep: bool) -> Iterator[list[str]]:  # noqa: FBT001
    while block := text.read(_BLOCK_CHARS):
        block += _rest_of_line(text, name)
        # Only a line feed ends a line here; there are more of them in Unicode.
        lines = io.StringIO(block, newline="\n").readlines()
        yield lines if keep else [line.rstrip("\n") for line in lines]


def _rest_of_line(text: IO[str], name: str) -> str:
    rest = text.readline(limits.MAX_LINE)
    if len(rest) >= limits.MAX_LINE:
        raise UnreadableFile(f"{name}: a line is longer than {limits.MAX_LINE:,} characters.")
    return rest


def _paragraphs(text: IO[str], name: str) -> Iterator[list[str]]:
    waiting = ""
    while block := text.read(_BLOCK_CHARS):
        whole = waiting + block + _rest_of_line(text, name)
        *done, waiting = whole.split("\n\n")
        if len(waiting) > limits.MAX_LINE:
            raise UnreadableFile(f"{name}: a paragraph is longer than {limits.MAX_LINE:,}.")
        yield [one for one in done if one]
    if waiting:
        yield [waiting]


def _documents(text: IO[str], name: str) -> Iterator[list[str]]:
    document = text.read(limits.MAX_CELL + 1)
    if len(document) > limits.MAX_CELL:
        raise UnreadableFile(f"{name} is longer than {limits.MAX_CELL:,} characters.")
    yield [document]
