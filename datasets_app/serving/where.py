"""What a ``where`` and an ``orderby`` may be: an allow-list over DuckDB's own syntax tree.

DuckDB parses the text (``json_serialize_sql``); here every node of the tree is looked at, and what
is not known to be harmless is refused. The SQL that runs is written anew from the tree, so nothing
of the caller's text (comments, a second statement) comes along.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets_app.errors import InvalidParameter

MAX_TEXT = 4096
MAX_DEPTH = 32
MAX_PREDICATES = 64
MAX_LIST = 1000
MAX_PATTERN = 256

FUNCTIONS = frozenset(
    {
        *("+", "-", "*", "/", "//", "%", "||", "->", "->>"),
        *("~~", "~~*", "!~~", "!~~*", "~~~", "regexp_full_match", "regexp_matches"),
        *("abs", "ceil", "floor", "round", "sign"),
        *("array_length", "contains", "ends_with", "len", "length", "list_contains", "list_value"),
        *("lower", "prefix", "starts_with", "strlen", "suffix", "trim", "upper"),
        *("date_part", "date_trunc", "day", "hour", "month", "year"),
        *("isnan", "isfinite"),
    }
)
_PATTERNS = frozenset(
    {"~~", "~~*", "!~~", "!~~*", "~~~", "regexp_full_match", "regexp_matches"},
)
_OPERATORS = frozenset(
    {
        "ARRAY_EXTRACT",
        "COMPARE_IN",
        "COMPARE_NOT_IN",
        "OPERATOR_COALESCE",
        "OPERATOR_IS_NOT_NULL",
        "OPERATOR_IS_NULL",
        "OPERATOR_NOT",
    }
)
_TYPES = frozenset(
    {
        *("BIGINT", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "HUGEINT", "INT", "INTEGER", "REAL"),
        *("SMALLINT", "STRING", "TEXT", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TINYINT", "UBIGINT"),
        *("UINTEGER", "USMALLINT", "UTINYINT", "VARCHAR", "INTERVAL"),
        *("TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"),
    }
)
_PREDICATES = frozenset({"COMPARISON", "BETWEEN", "OPERATOR", "FUNCTION"})
_NO_CHILDREN = frozenset({"CONSTANT", "COLUMN_REF"})
_CHILDREN: Mapping[str, frozenset[str]] = {
    "COMPARISON": frozenset({"left", "right"}),
    "CONJUNCTION": frozenset({"children"}),
    "BETWEEN": frozenset({"input", "lower", "upper"}),
    "OPERATOR": frozenset({"children"}),
    "CAST": frozenset({"child", "type_expr"}),
    "CASE": frozenset({"case_checks", "else_expr"}),
    "FUNCTION": frozenset({"arguments"}),
    "COLUMN_REF": frozenset({"column_names"}),
    "CONSTANT": frozenset({"literal"}),
}
_PLAIN = frozenset(
    {
        *("alias", "catalog", "class", "distinct", "export_state", "filter", "function_name"),
        *("is_operator", "order_bys", "qualified_name", "query_location", "query_location_length"),
        *("schema", "try_cast", "type"),
    }
)


@dataclass(slots=True)
class Walk:
    """Looks at all nodes of one expression."""

    columns: Collection[str]
    """Names of the columns, in lower case."""
    predicates: int = 0
    used: set[str] = field(default_factory=set)
    """Columns that the expression reads, in lower case."""

    def look(self, node: Any, depth: int = 0) -> None:
        """Raises: InvalidParameter: the node, or one below it, is not on the list."""
        if not isinstance(node, dict) or depth > MAX_DEPTH:
            raise InvalidParameter("The expression is nested too deeply.")
        kind = str(node.get("class"))
        if kind not in _CHILDREN:
            raise InvalidParameter(f"{_said(kind)} is not possible here.")
        self._count(kind)
        if unknown := [
            key for key, value in node.items() if value and key not in _PLAIN | _CHILDREN[kind]
        ]:
            raise InvalidParameter(f"{_said(kind)} with {unknown[0]} is not possible here.")
        self._look_inside(kind, node)
        if kind not in _NO_CHILDREN:
            for child in _below(kind, node):
                self.look(child, depth + 1)

    def _count(self, kind: str) -> None:
        self.predicates += kind in _PREDICATES
        if self.predicates > MAX_PREDICATES:
            raise InvalidParameter(f"At most {MAX_PREDICATES} conditions can be combined.")

    def _look_inside(self, kind: str, node: Mapping[str, Any]) -> None:
        match kind:
            case "COLUMN_REF":
                self._column(node["column_names"])
            case "FUNCTION":
                self._function(node)
            case "OPERATOR":
                _operator(node)
            case "CAST":
                _cast(node)
            case _:
                return

    def _column(self, path: list[str]) -> None:
        if not path or path[0].lower() not in self.columns:
            raise InvalidParameter(f"There is no column {'.'.join(path)!r}.")
        self.used.add(path[0].lower())

    def _function(self, node: Mapping[str, Any]) -> None:
        name = str(node["function_name"]).lower()
        if name not in FUNCTIONS:
            raise InvalidParameter(f"The function {name!r} is not possible here.")
        orders = (node.get("order_bys") or {}).get("orders")
        if node.get("filter") or node.get("distinct") or orders:
            raise InvalidParameter(f"The function {name!r} cannot be used like that here.")
        # "a"."b".length() is a call on a column: its path stands where a schema would.
        path = node.get("qualified_name", {}).get("path", [name])
        owner = [part for part in path[:-1] if part]
        named = [node.get("catalog") or "", node.get("schema") or ""]
        if [part for part in named if part] != owner:
            raise InvalidParameter(f"The function {name!r} cannot be used like that here.")
        if owner:
            self._column(owner)
        if name in _PATTERNS:
            _pattern(node)


def check_where(tree: Any, columns: Collection[str]) -> set[str]:
    """Look at the tree of ``SELECT 1 FROM data WHERE …``; answer the columns that it reads.

    Raises:
        InvalidParameter: it is anything but one condition on these columns.
    """
    node = _only_select(tree)
    if node["modifiers"] or not node.get("where_clause"):
        raise InvalidParameter("The parameter 'where' must be one condition.")
    walk = Walk({name.lower() for name in columns})
    walk.look(node["where_clause"])
    return walk.used


def check_orderby(tree: Any, columns: Collection[str]) -> None:
    """The same for ``SELECT 1 FROM data ORDER BY …``."""
    node = _only_select(tree)
    modifiers = node["modifiers"]
    if node.get("where_clause") or len(modifiers) != 1:
        raise InvalidParameter("The parameter 'orderby' must be columns, each with ASC or DESC.")
    if modifiers[0].get("type") != "ORDER_MODIFIER":
        raise InvalidParameter("The parameter 'orderby' must be columns, each with ASC or DESC.")
    walk = Walk({name.lower() for name in columns})
    for order in modifiers[0]["orders"]:
        if order["expression"].get("class") == "CONSTANT":
            raise InvalidParameter("Order by columns, not by numbers.")
        walk.look(order["expression"])


def _only_select(tree: Any) -> dict[str, Any]:
    """The one plain SELECT from ``data`` that the tree is."""
    if tree.get("error"):
        raise InvalidParameter(f"It cannot be read: {tree.get('error_message', '')[:200]}")
    statements = tree["statements"]
    if len(statements) != 1:
        raise InvalidParameter("Only one expression is possible here.")
    node: dict[str, Any] = statements[0]["node"]
    extras = ("group_expressions", "group_sets", "having", "sample", "qualify")
    table = node.get("from_table") or {}
    is_plain = (
        node.get("type") == "SELECT_NODE"
        and not (node.get("cte_map") or {}).get("map")
        and not any(node.get(extra) for extra in extras)
        and table.get("type") == "BASE_TABLE"
        and table.get("qualified_name", {}).get("path", [table.get("table_name")]) == ["data"]
        and not any(table.get(extra) for extra in ("alias", "sample", "at_clause"))
        and len(node["select_list"]) == 1
        and node["select_list"][0].get("class") == "CONSTANT"
    )
    if not is_plain:
        raise InvalidParameter("Only an expression is possible here, not a query.")
    return node


def _below(kind: str, node: Mapping[str, Any]) -> list[Any]:
    match kind:
        case "CASE":
            checks = node["case_checks"]
            parts = [check[side] for check in checks for side in ("when_expr", "then_expr")]
            return [*parts, node["else_expr"]] if node.get("else_expr") else parts
        case "FUNCTION":
            return [_argument(argument) for argument in node["arguments"]]
        case "CAST":
            return [node["child"]]
        case "OPERATOR" | "CONJUNCTION":
            return list(node["children"])
        case _:
            return [node[name] for name in sorted(_CHILDREN[kind])]


def _argument(argument: Mapping[str, Any]) -> Any:
    if argument.get("name"):
        raise InvalidParameter("Arguments with names are not possible here.")
    return argument.get("expression", argument)


def _operator(node: Mapping[str, Any]) -> None:
    if node["type"] not in _OPERATORS:
        raise InvalidParameter(f"{_said(node['type'])} is not possible here.")
    if len(node["children"]) > MAX_LIST:
        raise InvalidParameter(f"A list may have at most {MAX_LIST} values.")


def _cast(node: Mapping[str, Any]) -> None:
    kind = node["type_expr"]
    name = str(kind.get("type_name", "")).upper()
    is_plain = not (kind.get("children") or kind.get("catalog") or kind.get("schema"))
    if name not in _TYPES or not is_plain:
        raise InvalidParameter(f"A cast to {name or 'that type'} is not possible here.")


def _pattern(node: Mapping[str, Any]) -> None:
    """A pattern is a text of the caller's: one out of the data may be made to take for ever."""
    for argument in node["arguments"][1:]:
        literal = (argument.get("expression") or {}).get("literal") or {}
        if literal.get("kind") != "STRING":
            raise InvalidParameter("A pattern must be a text in quotes.")
        if len(literal["text"]) > MAX_PATTERN:
            raise InvalidParameter(f"A pattern may have at most {MAX_PATTERN} characters.")


def _said(kind: object) -> str:
    return str(kind or "That").replace("_", " ").capitalize()
