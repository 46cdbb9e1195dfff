"""The schema that several tables agree upon, and how a batch is brought to it."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits
from datasets_app.shape.features import feature_of, features_of, named_features, with_features


def unified(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """Columns in the order in which they first come; types that hold what all of them have.

    Integers become floats, null becomes anything, what has nothing in common becomes text. Of the
    features that the schemas name, those are kept whose column has the type that they are for.
    """
    columns: dict[str, pa.DataType] = {}
    features: dict[str, Any] = {}
    for schema in schemas:
        named = named_features(schema) or {}
        for field in schema:
            known = columns.get(field.name)
            columns[field.name] = field.type if known is None else common(known, field.type)
            if field.name in named:
                features.setdefault(field.name, (named[field.name], field.type))
    kept = {
        name: features[name][0]
        if name in features and features[name][1].equals(kind)
        else feature_of(kind)
        for name, kind in columns.items()
    }
    return with_features(pa.schema(list(columns.items())), kept)


def common(  # noqa: C901, PLR0911 - a table of types, row by row
    one: pa.DataType, other: pa.DataType
) -> pa.DataType:
    """A type that holds the values of both."""
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        return pa.int64()
    if _is_number(one) and _is_number(other):
        return pa.float64()
    if _is_list(one) and _is_list(other):
        return pa.list_(common(one.value_type, other.value_type))
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return _common_struct(one, other)
    if {str(one), str(other)} <= {"binary", "large_binary"}:
        return pa.large_binary()
    if {str(one), str(other)} <= {"string", "large_string"}:
        return pa.large_string()
    return pa.json_() if _is_loose(one) or _is_loose(other) else pa.string()


def _is_loose(kind: pa.DataType) -> bool:
    """Whether it shares a column with other types only as the text of JSON."""
    return isinstance(kind, pa.JsonType) or _is_nested(kind)


def _common_struct(one: pa.StructType, other: pa.StructType) -> pa.DataType:
    fields = {field.name: field.type for field in one}
    for field in other:
        known = fields.get(field.name)
        fields[field.name] = field.type if known is None else common(known, field.type)
    return pa.struct(list(fields.items()))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def settled(schema: pa.Schema) -> pa.Schema:
    """The same columns; what never has a value in any file is text."""
    features = features_of(schema)
    fields = [(one.name, _without_null(one.type)) for one in schema]
    for (name, kind), field in zip(fields, schema, strict=True):
        if not kind.equals(field.type):
            features[name] = feature_of(kind)
    return with_features(pa.schema(fields), features)


def _without_null(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_without_null(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _without_null(field.type)) for field in kind])
    return kind


def checked(schema: pa.Schema) -> pa.Schema:
    """The same schema, if it is one that we hold.

    Raises:
        UnreadableFile: it has too many columns, or they are called or nested as none should be.
    """
    if len(schema) > limits.MAX_COLUMNS:
        raise UnreadableFile(
            f"The file has {len(schema):,} columns; at most {limits.MAX_COLUMNS:,} are read.",
            viewer_code="TooManyColumnsError",
        )
    names = schema.names
    for name in names:
        if len(name) > limits.MAX_COLUMN_NAME:
            raise UnreadableFile(
                f"The name of a column is longer than {limits.MAX_COLUMN_NAME} characters: "
                f"{name[:80]}…",
                viewer_code="TooLongColumnNameError",
            )
        if "\0" in name:
            raise UnreadableFile(f"The name of a column holds a NUL character: {name[:80]!r}.")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableFile(f"Two columns are called {twice!r}.", column=twice)
    for field in schema:
        if depth_of(field.type) > limits.MAX_NESTING:
            raise UnreadableFile(
                f"Column {field.name!r} is nested more than {limits.MAX_NESTING} deep.",
                column=field.name,
            )
    return schema


def depth_of(kind: pa.DataType) -> int:
    """How many types lie within each other."""
    inner = [kind.field(index).type for index in range(kind.num_fields)]
    return 1 + max((depth_of(one) for one in inner), default=0)


def cast(batch: pa.RecordBatch, schema: pa.Schema, row: int) -> pa.RecordBatch:
    """The same rows with the columns of ``schema``; what a batch does not have is null.

    Raises:
        UnreadableFile: a value does not fit; ``row`` is the number of the batch's first row.
    """
    check_known(batch.schema.names, schema)
    if batch.schema.equals(schema):
        return pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    columns = [
        _cast_column(batch.column(field.name), field, row)
        if batch.schema.get_field_index(field.name) >= 0
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def check_known(names: Iterable[str], schema: pa.Schema) -> None:
    """Refuse columns that ``schema`` has no place for: their values would be lost.

    Raises:
        UnreadableFile: there is one.
    """
    known = set(schema.names)
    for name in names:
        if name not in known:
            raise UnreadableFile(
                f"There is a column {name!r}, but the columns should be {schema.names[:20]}.",
                viewer_code="DatasetGenerationCastError",
                column=name,
            )


def _cast_column(column: pa.Array, field: pa.Field, row: int) -> pa.Array:
    if column.type.equals(field.type):
        return column
    try:
        if isinstance(field.type, pa.JsonType):
            return pa.ExtensionArray.from_storage(field.type, as_json(column))
        return _to_type(column, field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as reason:
        bad = _first_bad(column, field.type)
        raise UnreadableFile(
            f"Column {field.name!r}: {str(reason).splitlines()[0]}",
            viewer_code="DatasetGenerationCastError",
            column=field.name,
            row=None if bad is None else row + bad,
        ) from None


def _to_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(column.type) and pa.types.is_string(kind):
        return pc.if_else(column, "true", "false")
    if _has_struct(kind) and not column.type.equals(kind):
        # Arrow casts no struct to one with more fields.
        return pa.array(column.to_pylist(), kind)
    return column.cast(kind)


def _has_struct(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) or (_is_list(kind) and _has_struct(kind.value_type))


def _is_nested(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind) or _is_list(kind) or pa.types.is_map(kind))


def as_json(column: pa.Array) -> pa.Array:
    """Nested values as the text of JSON."""
    import json  # noqa: PLC0415 - only the rare column of mixed types needs it

    texts = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str)
        for value in column.to_pylist()
    ]
    return pa.array(texts, pa.string())


def _first_bad(column: pa.Array, kind: pa.DataType) -> int | None:
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column.slice(low, middle - low).cast(kind)
        except pa.ArrowException:
            high = middle
        else:
            low = middle
    return low if len(column) else None
