"""Rows as JSON: every cell by the feature of its column, cut where it is too long."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from datasets_app.serving.features import MEDIA, Feature, holds, inner, kind_of
from datasets_app.serving.media import HEAD_BYTES, medium_of, size_of_image

if TYPE_CHECKING:
    import pyarrow as pa

MAX_CELL = 10_000
"""Characters of a cell in JSON; a longer one is cut, and to be had whole by a URL of its own."""
LEAST_CELL = 100
MAX_BODY = 8 * 1024 * 1024
_CONVERTED = MEDIA | {"Json"}

Address = Callable[[int, str, Sequence[object], str], str]
"""Answers the URL of a medium: row number, column, steps within the cell, suffix."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows to show, and their numbers within the split."""

    table: "pa.Table"
    numbers: Sequence[int]
    features: Mapping[str, Feature]

    def listed_features(self) -> list[dict[str, Any]]:
        return [
            {"feature_idx": at, "name": name, "type": self.features[name]}
            for at, name in enumerate(self.table.column_names)
        ]


def page_json(page: Page, address: Address, rest: Mapping[str, Any], most: int = MAX_BODY) -> bytes:
    """The whole answer; its cells are cut shorter until it has at most ``most`` bytes."""
    cells = cells_of(page, address)
    cap = MAX_CELL
    while True:
        rows = cut_rows(page, cells, cap)
        body = orjson.dumps({"features": page.listed_features(), "rows": rows, **rest})
        if len(body) <= most or cap <= LEAST_CELL:
            return body
        cap = max(cap // 4, LEAST_CELL)


def cells_of(page: Page, address: Address) -> dict[str, list[Any]]:
    """The values of each column, ready for JSON."""
    return {
        name: _column(page.table[name], page.features[name], name, page.numbers, address)
        for name in page.table.column_names
    }


def cut_rows(page: Page, cells: Mapping[str, list[Any]], cap: int) -> list[dict[str, Any]]:
    """Rows in the shape that clients read, no cell longer than ``cap`` characters."""
    uncut = {name: holds(page.features[name], MEDIA) for name in cells}
    rows = []
    for at, number in enumerate(page.numbers):
        row: dict[str, Any] = {}
        cut: list[str] = []
        for name, values in cells.items():
            row[name], is_cut = (values[at], False) if uncut[name] else _cut(values[at], cap)
            if is_cut:
                cut.append(name)
        rows.append({"row_idx": number, "row": row, "truncated_cells": cut})
    return rows


def _cut(value: Any, cap: int) -> tuple[Any, bool]:
    if isinstance(value, str):
        return (value[:cap], True) if len(value) > cap else (value, False)
    if not isinstance(value, list | dict):
        return value, False
    text = dumped(value)
    if len(text) > cap:
        return text[:cap].decode(errors="ignore"), True
    return orjson.Fragment(text), False


def dumped(value: Any) -> bytes:
    """A value of a cell as JSON."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Numbers of more than 64 bits, and what is nested deeper than orjson goes.
        return json.dumps(value, default=str).encode()


def _column(
    column: "pa.ChunkedArray",
    feature: Feature,
    name: str,
    numbers: Sequence[int],
    address: Address,
) -> list[Any]:
    values = values_of(column)
    if not holds(feature, _CONVERTED):
        return [_scalar(value) for value in values]
    return [
        _converted(value, feature, partial(address, row, name))
        for row, value in zip(numbers, values, strict=True)
    ]


def values_of(column: "pa.ChunkedArray") -> list[Any]:
    """Python values, whatever a column holds: what has no such value comes as text."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python has no nanoseconds; what they are is seldom looked at.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, ArithmeticError):
        values = [_one(scalar) for chunk in column.chunks for scalar in chunk]
    return values


def _one(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes().decode(errors="replace")
    except (ValueError, OverflowError, ArithmeticError):
        # A moment beyond the years that Python knows: what counts it is all there is.
        return str(getattr(scalar, "value", None))


Named = Callable[[Sequence[object], str], str]


def _converted(value: Any, feature: Feature, named: Named, steps: tuple[object, ...] = ()) -> Any:
    kind = kind_of(feature)
    if kind in MEDIA:
        return _medium(kind, value, lambda suffix: named(steps, suffix))
    if kind == "Struct" and isinstance(value, dict):
        return {
            key: _converted(value.get(key), part, named, (*steps, key))
            for key, part in feature.items()
        }
    if kind in {"List", "LargeList", "Sequence"} and isinstance(value, list):
        part = inner(feature)
        return [_converted(one, part, named, (*steps, at)) for at, one in enumerate(value)]
    return _decoded(value) if kind == "Json" else _scalar(value)


def _medium(kind: str, value: Any, url: Callable[[str], str]) -> Any:
    """In the shape that viewers read; a medium without bytes of its own has none."""
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes) or not data:
        return None
    medium = medium_of(data[:HEAD_BYTES])
    src = url(medium.suffix)
    if kind == "Image":
        width, height = size_of_image(data[:HEAD_BYTES]) or (None, None)
        return {"src": src, "height": height, "width": width}
    if kind == "Audio":
        return [{"src": src, "type": medium.media_type}]
    return {"src": src} if kind == "Video" else {"src": src, "size_bytes": len(data)}


def _decoded(value: Any) -> Any:
    try:
        return orjson.loads(value) if isinstance(value, str | bytes) else value
    except orjson.JSONDecodeError:
        return value


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | float | list | dict):
        return value
    if isinstance(value, int):
        # JSON of clients has 64 bits.
        return value if -(2**63) <= value < 2**64 else str(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    """JSON's form of what it has no type for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
