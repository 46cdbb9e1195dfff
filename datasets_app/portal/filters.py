"""The filter of the viewer's page: a column, a relation and a value become a condition."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict

from datasets_app.serving.features import Feature, kind_of

RELATIONS = (
    ("=", "is"),
    ("!=", "is not"),
    (">", "is more than"),
    ("<", "is less than"),
    ("contains", "contains"),
    ("empty", "is missing"),
)
_PLAIN = frozenset({"=", "!=", ">", "<"})
_NUMBERS = ("int", "uint", "float", "decimal")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked to show."""

    where: str = ""
    orderby: str = ""
    search: str = ""
    column: str = ""
    relation: str = ""
    value: str = ""

    @property
    def is_any(self) -> bool:
        return bool(self.where or self.orderby or self.search)


def asked_of(query: QueryDict, features: Mapping[str, Feature]) -> Asked:
    """Read the page's query; a filter that was built by choosing stands for its condition."""
    column, relation = query.get("column", ""), query.get("relation", "")
    value, where = query.get("value", ""), query.get("where", "").strip()
    if column in features and relation:
        built = condition(column, features[column], relation, value)
        where = f"({where}) AND {built}" if where and built else where or built
    order, direction = query.get("sort", ""), query.get("direction", "")
    orderby = query.get("orderby", "").strip()
    if order in features:
        orderby = f"{_name(order)} {'DESC' if direction == 'desc' else 'ASC'}"
    return Asked(where, orderby, query.get("search", "").strip())


def condition(column: str, feature: Feature, relation: str, value: str) -> str:
    """A condition in the words of ``/filter``; none where the relation is unknown."""
    if relation == "empty":
        return f"{_name(column)} IS NULL"
    if not value:
        return ""
    if relation == "contains":
        return f"contains({_name(column)}::VARCHAR, {_text(value)})"
    if relation not in _PLAIN:
        return ""
    return f"{_name(column)} {relation} {_value(feature, value)}"


def _value(feature: Feature, value: str) -> str:
    kind = kind_of(feature)
    if kind == "ClassLabel" and value in (names := feature.get("names") or []):
        return str(names.index(value))
    dtype = str(feature.get("dtype", "")) if kind == "Value" else ""
    try:
        float(value)
    except ValueError:
        return _text(value)
    return value if dtype.startswith(_NUMBERS) or kind == "ClassLabel" else _text(value)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
