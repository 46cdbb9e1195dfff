"""Rows, columns and charts as pages show them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from datasets_app.models import Split
from datasets_app.serving.cells import Address, Page, cells_of
from datasets_app.serving.features import Feature, kind_of, type_name

MAX_SHOWN = 240
"""Characters of a cell in the table; the drawer has all of them."""
CHART_WIDTH, CHART_HEIGHT = 120, 28
_KINDS = {"Image": "image", "Audio": "audio", "Video": "video", "Pdf": "file"}
_NUMBERS = ("int", "uint", "float", "decimal")


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell: a text, or where its picture or sound is."""

    kind: str
    text: str = ""
    src: str = ""
    url: str = ""
    """Where the cell is whole."""
    is_cut: bool = False
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row and its number in the split."""

    number: int
    cells: Sequence[ShownCell]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart, in its units."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """The head of a column: what it holds, and what its values are like."""

    name: str
    kind: str
    summary: str
    bars: Sequence[Bar]
    facts: Sequence[tuple[str, str]]


def shown_rows(page: Page, split: Split, repo_url: str, address: Address) -> list[ShownRow]:
    """The rows of a page with the address of each cell."""
    cells = cells_of(page, address)
    config = split.config
    names = f"{quote(config.name, safe='')}/{quote(split.name, safe='')}"
    base = f"{repo_url}/cells/{config.snapshot_id}/{names}"
    return [
        ShownRow(
            number,
            [
                _cell(values[at], page.features[name], f"{base}/{number}/{quote(name, safe='')}")
                for name, values in cells.items()
            ],
        )
        for at, number in enumerate(page.numbers)
    ]


def _cell(value: Any, feature: Feature, url: str) -> ShownCell:
    if value is None:
        return ShownCell("none", "null")
    kind = kind_of(feature)
    if kind in _KINDS:
        return _medium(_KINDS[kind], value)
    if kind == "ClassLabel":
        return ShownCell("label", _label(value, feature.get("names") or ()))
    text = value if isinstance(value, str) else _written(value)
    is_number = kind == "Value" and str(feature.get("dtype", "")).startswith(_NUMBERS)
    is_cut = len(text) > MAX_SHOWN
    shown = f"{text[:MAX_SHOWN]}…" if is_cut else text
    return ShownCell("number" if is_number else "text", shown, url=url, is_cut=is_cut)


def _medium(kind: str, value: Any) -> ShownCell:
    found = value[0] if isinstance(value, list) else value
    return ShownCell(kind, src=found["src"], width=found.get("width"), height=found.get("height"))


def _label(value: Any, names: Sequence[str]) -> str:
    is_named = isinstance(value, int) and 0 <= value < len(names)
    return f"{names[value]} ({value})" if is_named else str(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def shown_columns(
    features: Mapping[str, Feature], statistics: Mapping[str, Any] | None
) -> list[ShownColumn]:
    """The heads of all columns, with charts where they were counted."""
    counted = {one["column_name"]: one for one in (statistics or {}).get("statistics", ())}
    return [_column(name, feature, counted.get(name)) for name, feature in features.items()]


def _column(name: str, feature: Feature, counted: Mapping[str, Any] | None) -> ShownColumn:
    kind = type_name(feature)
    if counted is None:
        return ShownColumn(name, kind, "", (), ())
    numbers = counted["column_statistics"]
    if "frequencies" in numbers:
        return _of_labels(name, kind, numbers)
    histogram = numbers.get("histogram") or {"hist": [], "bin_edges": []}
    edges = [_short(edge) for edge in histogram["bin_edges"]]
    spans = [f"{low} to {high}" for low, high in pairwise(edges)]
    summary = f"{edges[0]} to {edges[-1]}" if edges else "no values"
    what = {"string_text": "characters", "list": "items"}.get(counted["column_type"], "")
    keys = ("min", "max", "mean", "median", "std", "nan_count")
    return ShownColumn(
        name,
        kind,
        f"{summary} {what}".strip(),
        _bars(histogram["hist"], spans),
        [(key.replace("nan_count", "missing"), _short(numbers.get(key))) for key in keys],
    )


def _of_labels(name: str, kind: str, numbers: Mapping[str, Any]) -> ShownColumn:
    frequencies = numbers["frequencies"]
    count = len(frequencies)
    values = list(frequencies.items())[:40]
    bars = _bars([amount for _, amount in values], [label for label, _ in values])
    facts = [("missing", _short(numbers.get("nan_count"))), ("distinct", str(count))]
    return ShownColumn(name, kind, f"{count} value{'s' * (count != 1)}", bars, facts)


def _bars(counts: Sequence[int], labels: Sequence[str]) -> list[Bar]:
    most = max(counts, default=0)
    if not most:
        return []
    width = CHART_WIDTH / len(counts)
    bars = []
    for at, count in enumerate(counts):
        height = round(count / most * CHART_HEIGHT, 2)
        label = f"{labels[at]}: {count:,}" if at < len(labels) else f"{count:,}"
        bars.append(
            Bar(
                round(at * width, 2),
                CHART_HEIGHT - height,
                round(max(width - 1, 0.5), 2),
                height,
                label,
            )
        )
    return bars


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.3e}"  # noqa: PLR2004
    if isinstance(value, int):
        return f"{value:,}"
    return "none" if value is None else str(value)
