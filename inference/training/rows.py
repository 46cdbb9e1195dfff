"""Rows of a split on this machine: an Arrow file that is mapped, not read; and its columns."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

FEATURES = b"huggingface"
"""The key under which the datasets library notes features in the metadata of a schema."""


class Holds(StrEnum):
    """What a column holds, as far as a training cares."""

    IMAGE = "image"
    TEXT = "text"
    LABEL = "label"
    """A class label; also whole numbers and texts can be taken for labels."""
    NUMBER = "number"
    OTHER = "other"


class Rows:
    """The rows of one split, by number."""

    def __init__(self, table: pa.Table, places: Sequence[int] | None = None) -> None:
        self._table = table
        self._places = range(table.num_rows) if places is None else places

    @classmethod
    def open(cls, file: Path) -> "Rows":
        """Map an Arrow file; memory is used only for what is read."""
        return cls(pa.ipc.open_file(pa.memory_map(str(file))).read_all())

    def __len__(self) -> int:
        return len(self._places)

    @property
    def schema(self) -> pa.Schema:
        return self._table.schema

    def only(self, places: Sequence[int]) -> "Rows":
        """Those at ``places`` among these."""
        return Rows(self._table, [self._places[place] for place in places])

    def at(self, column: str, place: int) -> Any:
        """One value as Python has it; an image is its bytes, or None."""
        value = self._table.column(column)[self._places[place]].as_py()
        return value.get("bytes") if isinstance(value, dict) else value

    def all(self, column: str) -> list[Any]:
        """A whole column; not for images."""
        values = self._table.column(column).take(pa.array(self._places, pa.int64()))
        return list(values.to_pylist())


def held_by(schema: pa.Schema) -> Mapping[str, Holds]:
    """Say what each column holds, by what its dataset tells of it, else by its type."""
    told = features_of(schema)
    return {field.name: _held(field.type, told.get(field.name)) for field in schema}


def features_of(schema: pa.Schema) -> Mapping[str, Any]:
    """What the datasets library notes of columns in the schema; nothing if it did not."""
    raw = (schema.metadata or {}).get(FEATURES, b"{}")
    try:
        features = json.loads(raw)["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def names_of(schema: pa.Schema, column: str) -> list[str]:
    """The names of a column's class labels in order; none where it has no such."""
    feature = features_of(schema).get(column)
    names = feature.get("names") if isinstance(feature, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _held(kind: pa.DataType, feature: Any) -> Holds:
    named = feature.get("_type") if isinstance(feature, dict) else None
    if named == "Image":
        return Holds.IMAGE
    if named == "ClassLabel":
        return Holds.LABEL
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return Holds.TEXT
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return Holds.NUMBER
    return Holds.OTHER
