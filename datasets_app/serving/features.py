"""What the feature of a column says of its cells."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Feature = Any
"""``{"dtype": …, "_type": "Value"}``, a mapping of such (a struct), or a list of one."""

MEDIA = frozenset({"Image", "Audio", "Video", "Pdf"})


def kind_of(feature: Feature) -> str:
    """``Value``, ``Image``, ``List`` …; ``Struct`` for a mapping of features."""
    if isinstance(feature, list):
        return "List"
    named = feature.get("_type") if isinstance(feature, Mapping) else None
    return named if isinstance(named, str) else "Struct"


def inner(feature: Feature) -> Feature:
    """The feature of a list's values."""
    return feature[0] if isinstance(feature, list) else feature["feature"]


def holds(feature: Feature, kinds: frozenset[str]) -> bool:
    """Whether it is, or somewhere within holds, one of these kinds."""
    kind = kind_of(feature)
    if kind in kinds:
        return True
    if kind == "Struct":
        return any(holds(part, kinds) for part in feature.values())
    return kind in {"List", "LargeList", "Sequence"} and holds(inner(feature), kinds)


def features_of(schema: "pa.Schema", known: Mapping[str, Feature] | None) -> dict[str, Feature]:
    """The feature of each column, in the schema's order; ``known`` are those told otherwise."""
    from datasets_app.shape.features import features_of as told  # noqa: PLC0415 - takes pyarrow

    found = told(schema)
    if b"huggingface" in (schema.metadata or {}) or not known:
        return found
    return {name: known.get(name) or feature for name, feature in found.items()}


def type_name(feature: Feature) -> str:
    """One or two words for a person: ``int64``, ``image``, ``list of string``."""
    kind = kind_of(feature)
    if kind == "Value":
        return str(feature.get("dtype", "value"))
    if kind == "ClassLabel":
        return f"label ({len(feature.get('names') or ())})"
    if kind in {"List", "LargeList", "Sequence"}:
        return f"list of {type_name(inner(feature))}"
    return kind.lower()
