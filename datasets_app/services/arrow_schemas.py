"""Schemas as rows hold them. Whoever imports this loads Arrow: workers do, web does not."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from datasets_app.errors import Unresolvable
from datasets_app.shape.features import features_of, type_of, with_features

__all__ = ["features_of", "overlaid", "read", "schema_of", "write"]


def read(raw: bytes) -> pa.Schema:
    """The schema that a row holds; none is one without columns."""
    return pa.ipc.read_schema(pa.BufferReader(raw)) if raw else pa.schema([])


def schema_of(features: Mapping[str, Any]) -> bytes:
    """The schema that a card's features ask for, in their order."""
    columns = pa.schema([(name, type_of(one)) for name, one in features.items()])
    return write(with_features(columns, features))


def write(schema: pa.Schema) -> bytes:
    raw: bytes = schema.serialize().to_pybytes()
    return raw


def overlaid(schema: pa.Schema, given: Mapping[str, Any] | None) -> pa.Schema:
    """The same columns with the card's features, where these are for such a type."""
    features = features_of(schema)
    for field in schema:
        wanted = (given or {}).get(field.name)
        if wanted is not None and _fits(wanted, field.type):
            features[field.name] = wanted
    return with_features(schema, features)


def _fits(feature: Any, kind: pa.DataType) -> bool:
    try:
        return bool(type_of(feature).equals(kind))
    except Unresolvable:
        return False
