"""What the values of a column are like: in the terms of the viewer's API, over all rows."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import duckdb

from datasets_app.serving.features import Feature, kind_of
from datasets_app.serving.sandbox import quoted

VERSION = 1
BINS = 10
DIGITS = 5
FEW_LABELS = 10
MOST_LABELS = 1000
MOST_LABEL_SHARE = 0.2
_ROUGHLY = 1500
"""A count of distinct values that is only about right decides whether to count them exactly."""
_TEXT = frozenset({"string", "large_string"})
_LISTS = frozenset({"List", "LargeList", "Sequence"})
_LOOKED_AT = 1000

PERSONAL_COLUMNS = 10
PERSONAL_ROWS = 10_000
PERSONAL_CHARACTERS = 1000
_PERSONAL = {
    "email_address": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    "phone_number": r"(^|[^0-9])(\+[0-9]{1,3}[ .-]?)?\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}"
    r"($|[^0-9])",
}

Json = dict[str, Any]


class Statistics:
    """Counts one split, column by column."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.rows = int(self._one("SELECT count(*) FROM data")[0])

    def of(self, features: Mapping[str, Feature]) -> Json:
        """The statistics of all columns that have some."""
        columns = []
        for name, feature in features.items():
            found = self._column(name, feature) if self.rows else None
            if found is not None:
                kind, numbers = found
                columns.append(
                    {"column_name": name, "column_type": kind, "column_statistics": numbers}
                )
        return {"num_examples": self.rows, "statistics": columns, "partial": False}

    def _column(self, name: str, feature: Feature) -> tuple[str, Json] | None:
        column, kind = quoted(name), kind_of(feature)
        if kind in _LISTS:
            return "list", self._numbers(f"len({column})", is_integer=True)
        if kind == "ClassLabel":
            return "class_label", self._class_label(column, feature.get("names") or ())
        return self._value(column, str(feature["dtype"])) if kind == "Value" else None

    def _value(self, column: str, dtype: str) -> tuple[str, Json] | None:
        if dtype.startswith(("int", "uint")):
            return "int", self._numbers(column, is_integer=True)
        if dtype.startswith("float"):
            return "float", self._numbers(f"{column}::DOUBLE", is_integer=False)
        if dtype == "bool":
            return "bool", self._bool(column)
        if dtype.startswith(("timestamp", "date")):
            return "datetime", self._moments(f"{column}::TIMESTAMP")
        return self._text(column) if dtype in _TEXT else None

    def _missing(self, count: int) -> Json:
        return {"nan_count": count, "nan_proportion": _rounded(count / self.rows)}

    def _numbers(self, expression: str, *, is_integer: bool) -> Json:
        # What is no number, or infinite, has no place on a scale.
        value = (
            expression if is_integer else f"CASE WHEN isfinite({expression}) THEN {expression} END"
        )
        source = f"(SELECT {value} AS x FROM data)"
        count, low, high, mean, median, deviation = self._one(
            f"SELECT count(x), min(x), max(x), avg(x), median(x), stddev_samp(x) FROM {source}"
        )
        found = self._missing(self.rows - count)
        if not count:
            empty = ("min", "max", "mean", "median", "std", "histogram")
            return found | dict.fromkeys(empty)
        edges = bin_edges(low, high, is_integer=is_integer)
        return found | {
            "min": low if is_integer else _rounded(low),
            "max": high if is_integer else _rounded(high),
            "mean": _rounded(mean),
            "median": _rounded(median),
            "std": _rounded(deviation),
            "histogram": {
                "hist": self._histogram(source, edges, count),
                "bin_edges": [edge if is_integer else _rounded(edge) for edge in edges],
            },
        }

    def _histogram(self, source: str, edges: Sequence[Any], count: int) -> list[int]:
        if len(edges) <= 2:  # noqa: PLR2004 - one bin
            return [count]
        inner = [f"count(*) FILTER (x < {_literal(edge)})" for edge in edges[1:-1]]
        below = [0, *self._one(f"SELECT {', '.join(inner)} FROM {source}"), count]
        return [after - before for before, after in pairwise(below)]

    def _bool(self, column: str) -> Json:
        true, false = self._one(
            f"SELECT count(*) FILTER ({column}), count(*) FILTER (NOT {column}) FROM data"
        )
        frequencies = {"True": true, "False": false}
        return self._missing(self.rows - true - false) | {
            "frequencies": {name: count for name, count in frequencies.items() if count}
        }

    def _class_label(self, column: str, names: Sequence[str]) -> Json:
        counts = dict(self._all(f"SELECT {column}, count(*) FROM data GROUP BY 1"))
        missing, unlabelled = counts.pop(None, 0), counts.pop(-1, 0)
        return self._missing(missing) | {
            "no_label_count": unlabelled,
            "no_label_proportion": _rounded(unlabelled / self.rows),
            "n_unique": len(counts),
            "frequencies": {name: counts.get(at, 0) for at, name in enumerate(names)},
        }

    def _text(self, column: str) -> tuple[str, Json]:
        missing, roughly = self._one(
            f"SELECT count(*) - count({column}), approx_count_distinct({column}) FROM data"
        )
        labels = self._labels(column) if roughly <= _ROUGHLY else None
        if labels is not None:
            return "string_label", self._missing(missing) | {
                "no_label_count": 0,
                "no_label_proportion": 0.0,
                "n_unique": len(labels),
                "frequencies": labels,
            }
        if self._are_moments(column):
            return "datetime", self._moments(f"TRY_CAST({column} AS TIMESTAMP)")
        return "string_text", self._numbers(f"length({column})", is_integer=True)

    def _labels(self, column: str) -> dict[str, int] | None:
        """How often each value comes, if they are few enough to be labels."""
        found = self._all(
            f"SELECT {column}, count(*) AS n FROM data WHERE {column} IS NOT NULL "
            f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {MOST_LABELS + 1}"
        )
        distinct = len(found)
        is_few = distinct <= FEW_LABELS or (
            distinct <= MOST_LABELS and distinct / self.rows <= MOST_LABEL_SHARE
        )
        return dict(found) if is_few else None

    def _are_moments(self, column: str) -> bool:
        wrong, seen = self._one(
            f"SELECT count(*) FILTER (TRY_CAST(x AS TIMESTAMP) IS NULL), count(*) FROM (SELECT "
            f"{column} AS x FROM data WHERE {column} IS NOT NULL LIMIT {_LOOKED_AT})"
        )
        return bool(seen) and not wrong

    def _moments(self, expression: str) -> Json:
        source = f"(SELECT epoch({expression}) AS x, {expression} AS moment FROM data)"
        count, low, high, first, last = self._one(
            "SELECT count(x), min(x), max(x), min(moment)::VARCHAR, max(moment)::VARCHAR "
            f"FROM {source}"
        )
        found = self._missing(self.rows - count)
        if not count:
            return found | dict.fromkeys(("min", "max", "mean", "median", "std", "histogram"))
        mean, median, deviation = self._one(
            "SELECT make_timestamp((avg(x) * 1e6)::BIGINT)::VARCHAR, "
            "make_timestamp((median(x) * 1e6)::BIGINT)::VARCHAR, "
            f"to_seconds(coalesce(stddev_samp(x), 0))::VARCHAR FROM {source}"
        )
        edges = bin_edges(low, high, is_integer=False)
        told = [
            self._one(f"SELECT make_timestamp({int(edge * 1e6)})::VARCHAR")[0] for edge in edges
        ]
        return found | {
            "min": first,
            "max": last,
            "mean": mean,
            "median": median,
            "std": deviation,
            "histogram": {"hist": self._histogram(source, edges, count), "bin_edges": told},
        }

    def personal(self, features: Mapping[str, Feature]) -> Json:
        """In how many of the first rows patterns find personal data."""
        columns = [
            name
            for name, feature in features.items()
            if kind_of(feature) == "Value" and feature["dtype"] in _TEXT
        ][:PERSONAL_COLUMNS]
        counts = dict.fromkeys(_PERSONAL, 0)
        if columns:
            texts = [
                f"coalesce(left({quoted(name)}, {PERSONAL_CHARACTERS}), '')" for name in columns
            ]
            line = " || ' | ' || ".join(texts)
            filters = [
                f"count(*) FILTER (regexp_matches(x, '{pattern}'))"
                for pattern in _PERSONAL.values()
            ]
            row = self._one(
                f"SELECT {', '.join(filters)} FROM "
                f"(SELECT {line} AS x FROM data LIMIT {PERSONAL_ROWS})"
            )
            counts = dict(zip(_PERSONAL, row, strict=True))
        return {
            "scanned_columns": columns,
            **{f"num_rows_with_{kind}_entities": count for kind, count in counts.items()},
            "num_rows_with_person_entities": 0,
            "num_rows_with_sensitive_pii": 0,
            "num_scanned_rows": min(self.rows, PERSONAL_ROWS),
            "has_scanned_columns": bool(columns),
            "full_scan": self.rows <= PERSONAL_ROWS,
        }

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._connection.execute(query).fetchone()
        return tuple(row) if row else ()

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()


def bin_edges(low: Any, high: Any, *, is_integer: bool) -> list[Any]:
    """Where the bins of a histogram begin, and where the last ends."""
    if is_integer:
        size = math.ceil((high - low + 1) / BINS)
        return [*range(low, high + 1, size), high]
    if low == high:
        return [low, high]
    size = (high - low) / BINS
    return [*(low + size * at for at in range(BINS)), high]


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"{value!r}::DOUBLE"


def _rounded(value: Any) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), DIGITS)
