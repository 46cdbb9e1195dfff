"""Features, as clients know them, from Arrow schemas and from cards; and back.

Source: ``datasets/features/features.py`` of datasets 5.2. The key ``huggingface`` of a schema's
metadata holds ``{"info": {"features": …}}``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from datasets_app.errors import Unresolvable

Features = dict[str, Any]

_KEY: Final = b"huggingface"
MEDIA: Final = {"Image", "Audio", "Video", "Pdf", "Mesh", "Nifti"}
"""Features that are a file: its bytes and its path."""
_FILE_TYPE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_SPELLED: Final = {"halffloat": "float16", "float": "float32", "double": "float64"}
_MAX_DEPTH: Final = 64


def features_of(schema: pa.Schema) -> Features:
    """The features of a schema: those that its metadata names, else those of its types."""
    named = named_features(schema) or {}
    return {field.name: named.get(field.name) or feature_of(field.type) for field in schema}


def named_features(schema: pa.Schema) -> Features | None:
    """The features that a schema's metadata names, if they are of its columns."""
    text = (schema.metadata or {}).get(_KEY)
    try:
        found = json.loads(text)["info"]["features"] if text else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.keys() <= set(schema.names) else None


def with_features(schema: pa.Schema, features: Mapping[str, Any]) -> pa.Schema:
    """The same columns, and what clients shall take them for; other metadata goes."""
    told = json.dumps({"info": {"features": dict(features)}}, ensure_ascii=False)
    return schema.with_metadata({_KEY: told.encode()})


def feature_of(kind: pa.DataType) -> Any:  # noqa: PLR0911 - a table of types, row by row
    """What clients call an Arrow type."""
    if pa.types.is_struct(kind):
        return {field.name: feature_of(field.type) for field in kind}
    if pa.types.is_fixed_size_list(kind):
        return {
            "feature": feature_of(kind.value_type),
            "length": kind.list_size,
            "_type": "List",
        }
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        word = "LargeList" if pa.types.is_large_list(kind) else "List"
        return {"feature": feature_of(kind.value_type), "_type": word}
    if isinstance(kind, pa.JsonType):
        return {"_type": "Json"}
    if pa.types.is_map(kind):
        pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
        return {"feature": feature_of(pair), "_type": "List"}
    return {"dtype": _dtype(kind), "_type": "Value"}


def _dtype(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _dtype(kind.value_type)
    text = str(kind)
    text = _SPELLED.get(text, text)
    return re.sub(r"^(date32|date64)\[.*\]$", r"\1", text)


def type_of(  # noqa: C901, PLR0911, PLR0912 - a table of features, row by row
    feature: Any, depth: int = 0
) -> pa.DataType:
    """The Arrow type in which a feature is stored.

    Raises:
        Unresolvable: there is no such feature.
    """
    if depth > _MAX_DEPTH:
        raise Unresolvable("FeaturesError", f"Features are nested more than {_MAX_DEPTH} deep.")
    if not isinstance(feature, dict):
        raise Unresolvable("FeaturesError", f"{feature!r} is no feature.")
    word = feature.get("_type")
    if not isinstance(word, str):
        return pa.struct([(name, type_of(one, depth + 1)) for name, one in feature.items()])
    if word in MEDIA:
        return _FILE_TYPE
    match word:
        case "Value":
            return _value_type(str(feature.get("dtype")))
        case "ClassLabel":
            return pa.int64()
        case "Json":
            return pa.json_()
        case "List" | "Sequence" | "LargeList":
            inner = type_of(feature.get("feature"), depth + 1)
            length = feature.get("length", -1)
            if not isinstance(length, int) or length >= 2**31:
                raise Unresolvable("FeaturesError", f"{length!r} is no length of a list.")
            if word == "LargeList":
                return pa.large_list(inner)
            return pa.list_(inner, length) if length >= 0 else pa.list_(inner)
        case "Translation":
            languages = feature.get("languages")
            named = languages if isinstance(languages, list) else []
            return pa.struct([(str(one), pa.string()) for one in named])
        case _:
            raise Unresolvable("FeaturesError", f"The feature {word!r} is not known here.")


_UNITS: Final = re.compile(r"(timestamp|time32|time64|duration)\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DECIMAL: Final = re.compile(r"(decimal128|decimal256)\((\d+), (-?\d+)\)")


def _value_type(dtype: str) -> pa.DataType:
    try:
        if match := _UNITS.fullmatch(dtype):
            word, unit, zone = match.groups()
            made: pa.DataType = pa.timestamp(unit, tz=zone) if zone else getattr(pa, word)(unit)
            return made
        if match := _DECIMAL.fullmatch(dtype):
            return getattr(pa, match[1])(int(match[2]), int(match[3]))
        if match := re.fullmatch(r"fixed_size_binary\[(\d+)\]", dtype):
            return pa.binary(int(match[1]))
        return pa.type_for_alias(dtype)
    except (ValueError, TypeError, OverflowError, pa.ArrowException):
        raise Unresolvable("FeaturesError", f"{dtype!r} is no type of a value.") from None


def card_features(given: object) -> Features | None:
    """The features of ``dataset_info`` in a card, None where it names none.

    Raises:
        Unresolvable: they cannot be understood.
    """
    if given is None:
        return None
    if not isinstance(given, list):
        raise Unresolvable("FeaturesError", "Expected features to be a list.")
    return _struct(given, 0)


def _struct(items: Sequence[Any], depth: int) -> Features:
    if depth > _MAX_DEPTH:
        raise Unresolvable("FeaturesError", f"Features are nested more than {_MAX_DEPTH} deep.")
    found: Features = {}
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise Unresolvable("FeaturesError", f"{item!r} is no feature with a name.")
        found[item["name"]] = _card_feature(item, depth + 1)
    return found


def _card_feature(item: Mapping[str, Any], depth: int) -> Any:
    for key, word in (("list", "List"), ("sequence", "List"), ("large_list", "LargeList")):
        if key in item:
            made = {"feature": _inner(item[key], depth), "_type": word}
            return made | ({"length": item["length"]} if "length" in item else {})
    if "struct" in item:
        return _inner(item["struct"], depth)
    return _inner(item.get("dtype"), depth)


def _inner(given: Any, depth: int) -> Any:
    if isinstance(given, list):
        return _struct(given, depth)
    if isinstance(given, str):
        return _by_word(given)
    if isinstance(given, dict) and len(given) == 1:
        [(word, values)] = given.items()
        if word in {"list", "sequence", "large_list", "struct", "dtype"}:
            return _card_feature(given, depth + 1)
        values = dict(values) if isinstance(values, dict) else {}
        if word == "class_label":
            return {"names": _label_names(values.get("names")), "_type": "ClassLabel"}
        return {**values, "_type": "".join(part.capitalize() for part in word.split("_"))}
    raise Unresolvable("FeaturesError", f"{given!r} is no type of a feature.")


def _by_word(word: str) -> Any:
    if word == "json" or word.capitalize() in MEDIA:
        return {"_type": word.capitalize()}
    return {"dtype": word, "_type": "Value"}


def _label_names(names: object) -> list[str]:
    if isinstance(names, dict):
        return [str(names[key]) for key in sorted(names, key=lambda key: int(str(key)))]
    return [str(name) for name in names] if isinstance(names, list) else []
