"""What a query of the SQL console may be: one SELECT over the tables that it is given."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from datasets_app.errors import InvalidParameter

MAX_TEXT = 20_000
MAX_DEPTH = 200

_REFERENCES = frozenset(
    {"BASE_TABLE", "CTE", "EMPTY", "EXPRESSION_LIST", "JOIN", "SUBQUERY", "TABLE_FUNCTION"}
)
_TABLE_FUNCTIONS = frozenset({"generate_series", "range", "unnest"})
_CATALOGS = re.compile(r"^(sqlite_|pragma_|duckdb_|pg_)")
"""What DuckDB tells of itself, wherever a query does not name a table of its own so."""
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
_REFUSED_FUNCTIONS = re.compile(
    r"^(pg_|duckdb_|pragma_|write_|sleep|nextval$|currval$|setseed$)"
    r"|sql|setting|variable|secret|env$|profiling|checkpoint|log$(?<!^log)"
)


def check_query(tree: Any, tables: Collection[str], functions: Collection[str]) -> None:
    """Look at the whole tree of a query.

    ``functions`` are the scalar and aggregate functions that DuckDB has.

    Raises:
        InvalidParameter: it is no single SELECT, or reaches for anything but ``tables``.
    """
    if tree.get("error"):
        raise InvalidParameter(f"It cannot be read: {tree.get('error_message', '')[:300]}")
    statements = tree["statements"]
    if len(statements) != 1:
        raise InvalidParameter("Only one SELECT is possible here.")
    names = {name.lower() for name in tables}
    _Query(names | _named_within(statements[0]), functions).look(statements[0])


class _Query:
    def __init__(self, tables: Collection[str], functions: Collection[str]) -> None:
        self._tables, self._functions = tables, functions

    def look(self, part: Any, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise InvalidParameter("The query is nested too deeply.")
        if isinstance(part, list):
            for one in part:
                self.look(one, depth + 1)
        elif isinstance(part, dict):
            self._look_at(part)
            for one in part.values():
                self.look(one, depth + 1)

    def _look_at(self, part: Mapping[str, Any]) -> None:
        kind = part.get("type")
        match part.get("class"):
            case "FUNCTION" | "WINDOW":
                self._function(part)
            case "PARAMETER":
                raise InvalidParameter("Parameters are not possible here.")
            case None if str(kind).endswith("_NODE"):
                if kind not in _NODES:
                    raise InvalidParameter("Only SELECT is possible here.")
            case None if "sample" in part and "alias" in part:
                self._reference(part)

    def _reference(self, part: Mapping[str, Any]) -> None:
        kind = part.get("type")
        if kind not in _REFERENCES:
            raise InvalidParameter(f"{str(kind).replace('_', ' ').lower()} is not possible here.")
        if kind == "BASE_TABLE":
            path = part.get("qualified_name", {}).get("path", [part.get("table_name")])
            if len(path) != 1 or path[0].lower() not in self._tables:
                raise InvalidParameter(f"There is no table {'.'.join(path)!r}.")
        if kind == "TABLE_FUNCTION":
            name = str((part.get("function") or {}).get("function_name", "")).lower()
            if name not in _TABLE_FUNCTIONS:
                raise InvalidParameter(f"The table function {name!r} is not possible here.")

    def _function(self, part: Mapping[str, Any]) -> None:
        name = str(part.get("function_name", "")).lower()
        is_known = name in self._functions or name in _TABLE_FUNCTIONS
        if not is_known or _REFUSED_FUNCTIONS.search(name):
            raise InvalidParameter(f"The function {name!r} is not possible here.")


def _named_within(part: Any, depth: int = 0) -> set[str]:
    """Names that the query itself gives: those of its WITH."""
    if depth > MAX_DEPTH:
        raise InvalidParameter("The query is nested too deeply.")
    found: set[str] = set()
    if isinstance(part, list):
        for one in part:
            found |= _named_within(one, depth + 1)
    elif isinstance(part, dict):
        for entry in (part.get("cte_map") or {}).get("map", ()):
            found.add(_own(entry["key"]))
        if name := part.get("cte_name"):
            found.add(_own(name))
        for one in part.values():
            found |= _named_within(one, depth + 1)
    return found


def _own(name: object) -> str:
    """A name that a query gives; beyond the part that gives it, it would be of something else."""
    text = str(name).lower()
    if _CATALOGS.search(text) or "/" in text or "." in text:
        raise InvalidParameter(f"A part of a query cannot be called {text!r}.")
    return text
