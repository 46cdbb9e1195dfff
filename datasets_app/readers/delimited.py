"""CSV and TSV: columns as text, and which of them we make numbers.

Types are those of the first 16 MiB; where a later row has another value, the whole file is looked
at, and read from its beginning. Text that looks like a date stays text, as for the datasets
library.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits
from datasets_app.readers.ports import DataFile, Reading
from datasets_app.readers.schemas import cast, check_known, checked, common, unified
from datasets_app.readers.sources import Part, Widen, parts

_FIRST_BYTES: Final = 16 * limits.MIB
_BLOCK_BYTES: Final = 8 * limits.MIB
_NULLS: Final = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
_TRUE: Final = ("true", "TRUE", "True")
_FALSE: Final = ("false", "FALSE", "False")
_COLUMN: Final = re.compile(r"In CSV column #(\d+): ")
_ROW: Final = re.compile(r"Row #(\d+): ?")
_UNSUPPORTED: Final = ("thousands", "comment", "lineterminator")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is split into rows and cells."""

    parsing: csv.ParseOptions
    encoding: str = "utf-8"
    decimal: str = "."
    skip: int = 0
    names: tuple[str, ...] = ()
    has_header: bool = True
    nulls: tuple[str, ...] = field(default=_NULLS)

    def converting(self, types: Mapping[str, pa.DataType]) -> csv.ConvertOptions:
        return csv.ConvertOptions(
            column_types=dict(types),
            null_values=list(self.nulls),
            true_values=list(_TRUE),
            false_values=list(_FALSE),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            decimal_point=self.decimal,
        )


def dialect_of(params: Mapping[str, Any], name: str) -> Dialect:
    """The dialect that a card asks for.

    Raises:
        UnreadableFile: we do not read such.
    """
    bad = next((key for key in _UNSUPPORTED if params.get(key)), None)
    if bad:
        raise UnreadableFile(f"{name}: the parameter {bad!r} of CSV files is not supported here.")
    names = params.get("column_names") or params.get("names") or ()
    header = params.get("header", "infer")
    nulls = params.get("na_values") or ()
    try:
        return Dialect(
            csv.ParseOptions(
                delimiter=params.get("delimiter") or params.get("sep") or ",",
                quote_char=params.get("quotechar", '"') or False,
                escape_char=params.get("escapechar") or False,
                newlines_in_values=True,
            ),
            str(params.get("encoding") or "utf-8"),
            params.get("decimal") or ".",
            int(params.get("skiprows") or 0),
            tuple(str(one) for one in names),
            header == 0 if names else header not in {None, False},
            _NULLS + ((nulls,) if isinstance(nulls, str) else tuple(str(one) for one in nulls)),
        )
    except (ValueError, TypeError) as reason:
        raise UnreadableFile(f"{name}: a parameter of CSV is not supported: {reason}") from None


def read(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of a CSV file, or of all in a zip file.

    Raises:
        UnreadableFile: it is none.
        Widen: its first rows did not tell its types.
    """
    dialect = dialect_of(reading.params, file.name)
    found = parts(file, reading.told, ".csv", ".tsv")
    heads = [_head(part, dialect) for part in found]
    schema = reading.schema or checked(unified(heads))
    row = 0
    for part, head in zip(found, heads, strict=True):
        if not head.names:
            continue
        check_known(head.names, schema)
        types = {column: _parsed_as(schema.field(column).type) for column in head.names}
        try:
            for batch in _parsed(part, dialect, head.names, types):
                yield cast(batch, schema, row)
                row += batch.num_rows
        except _Conflict as conflict:
            if reading.schema is not None:
                raise conflict.told from None
            raise Widen(checked(_scanned(found, dialect))) from None
    if not row:
        yield pa.RecordBatch.from_pylist([], schema=schema)


class _Conflict(Exception):
    """A cell is not what its column is taken for."""

    def __init__(self, told: UnreadableFile) -> None:
        super().__init__()
        self.told = told


def _parsed_as(kind: pa.DataType) -> pa.DataType:
    """As what the parser takes a column: all but plain values are read as text first."""
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    is_plain = is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    return kind if is_plain or pa.types.is_large_string(kind) else pa.string()


def _head(part: Part, dialect: Dialect) -> pa.Schema:
    """Names and types of the columns, from the first block."""
    with part.open() as stream:
        reader = _open(stream, part.name, dialect, _FIRST_BYTES, (), {})
        if reader is None:
            return pa.schema([])
        schema = reader.schema
    names = dialect.names or _distinct(schema.names, has_header=dialect.has_header)
    return checked(
        pa.schema(list(zip(names, (_inferred(one.type) for one in schema), strict=True)))
    )


def _inferred(kind: pa.DataType) -> pa.DataType:
    is_time = pa.types.is_temporal(kind) or pa.types.is_binary(kind)
    return pa.string() if is_time else kind


def _distinct(names: Iterable[str], *, has_header: bool) -> list[str]:
    """Names as pandas gives them: ``Unnamed: 0`` without one, ``a.1`` for the second ``a``."""
    taken: set[str] = set()
    found = []
    for index, name in enumerate(names):
        base = (name or f"Unnamed: {index}") if has_header else str(index)
        made, count = base, 0
        while made in taken:
            count += 1
            made = f"{base}.{count}"
        taken.add(made)
        found.append(made)
    return found


def _parsed(
    part: Part, dialect: Dialect, names: list[str], types: Mapping[str, pa.DataType]
) -> Iterator[pa.RecordBatch]:
    with part.open() as stream:
        reader = _open(stream, part.name, dialect, _BLOCK_BYTES, names, types)
        while reader is not None:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except pa.ArrowInvalid as reason:
                raise _problem(part.name, str(reason), names, dialect) from None
            if batch.num_rows:
                yield batch


def _open(
    stream: IO[bytes],
    name: str,
    dialect: Dialect,
    block: int,
    names: Iterable[str],
    types: Mapping[str, pa.DataType],
) -> csv.CSVStreamingReader | None:
    """A reader, or None of an empty file; with ``names`` the header is passed over."""
    given = list(names) or list(dialect.names)
    options = csv.ReadOptions(
        block_size=block,
        skip_rows=dialect.skip + (1 if given and dialect.has_header else 0),
        column_names=given,
        autogenerate_column_names=not given and not dialect.has_header,
        encoding=dialect.encoding,
        use_threads=False,
    )
    try:
        return csv.open_csv(stream, options, dialect.parsing, dialect.converting(types))
    except pa.ArrowInvalid as reason:
        if "Empty CSV" in str(reason):
            return None
        raise _as_error(_problem(name, str(reason), given, dialect)) from None
    # A codec of bytes or of texts, such as «rot13», is none of a file.
    except (LookupError, UnicodeError, TypeError) as reason:
        raise UnreadableFile(f"{name}: its text cannot be read: {reason}") from None


def _as_error(problem: Exception) -> Exception:
    return problem.told if isinstance(problem, _Conflict) else problem


def _problem(name: str, text: str, names: list[str], dialect: Dialect) -> Exception:
    """What the library complains about, as an error with column and row (from 0, of the data)."""
    column = row = None
    if match := _COLUMN.search(text):
        index = int(match[1])
        column = names[index] if index < len(names) else None
    if match := _ROW.search(text):
        row = max(0, int(match[1]) - dialect.skip - (2 if dialect.has_header else 1))
    if "straddling" in text:
        text = f"a row is longer than {_BLOCK_BYTES:,} bytes"
    shown = _ROW.sub("", _COLUMN.sub("", text)).splitlines()[0][:300]
    place = [name]
    place += [] if row is None else [f"row {row}"]
    place += [] if column is None else [f"column {column!r}"]
    told = UnreadableFile(
        ": ".join([", ".join(place), shown]),
        column=column,
        row=row,
    )
    return _Conflict(told) if "conversion error" in text and "UTF8" not in text else told


def _scanned(found: Iterable[Part], dialect: Dialect) -> pa.Schema:
    """Names and types of all rows: each cell is looked at as text."""
    schemas = []
    for part in found:
        names = _head(part, dialect).names
        kinds: dict[str, pa.DataType] = dict.fromkeys(names, pa.null())
        for batch in _parsed(part, dialect, names, dict.fromkeys(names, pa.string())):
            for name in names:
                if not pa.types.is_string(kinds[name]):
                    kinds[name] = common(kinds[name], _kind_of(batch.column(name)))
        schemas.append(pa.schema(list(kinds.items())))
    return unified(schemas)


def _kind_of(texts: pa.Array) -> pa.DataType:
    texts = texts.drop_null()
    if not len(texts):
        return pa.null()
    if pc.all(pc.is_in(texts, pa.array([*_TRUE, *_FALSE]))).as_py():
        return pa.bool_()
    trimmed = pc.utf8_trim_whitespace(texts)
    for kind in (pa.int64(), pa.float64()):
        try:
            trimmed.cast(kind)
        except pa.ArrowInvalid:
            continue
        return kind
    return pa.string()
