"""DuckDB over one dataset's files, with everything else out of its reach.

Only the program of :mod:`datasets_app.serving.child` loads this: a text that makes DuckDB take too
much ends that process, and nothing else.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from datasets_app.errors import InvalidParameter, QueryTooHeavy
from datasets_app.serving import console, where

KEPT = 4
"""Connections kept warm; one takes about 40 ms to make."""
ROW_NUMBERS = ("file_index", "file_row_number")

Tables = Mapping[str, Sequence[str]]
"""Paths of Parquet files by the name of the table that they are."""


class Sandbox:
    """Connections, each with the files of a few tables and with nothing else."""

    def __init__(self, memory: str = "1GB", threads: int = 2) -> None:
        self._limits = memory, threads
        self._kept: OrderedDict[str, duckdb.DuckDBPyConnection] = OrderedDict()
        self._parser = duckdb.connect()
        found = self._parser.execute(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions() "
            "WHERE function_type IN ('scalar', 'aggregate', 'macro')"
        ).fetchall()
        self.functions = frozenset(row[0] for row in found)

    def of(self, tables: Tables) -> duckdb.DuckDBPyConnection:
        """A connection that sees these tables as views, and can change nothing of itself."""
        key = json.dumps(tables, sort_keys=True)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        connection = self._connect(tables)
        self._kept[key] = connection
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)[1].close()
        return connection

    def tree(self, text: str) -> Any:
        """The syntax tree of a SELECT."""
        row = self._parser.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
        return json.loads(row[0]) if row else {"error": True}

    def text(self, tree: Any) -> str:
        """SQL written anew from a tree."""
        row = self._parser.execute("SELECT json_deserialize_sql(?)", [json.dumps(tree)]).fetchone()
        if row is None:
            raise InvalidParameter
        return str(row[0])

    def condition(self, text: str, columns: Sequence[str]) -> tuple[str, set[str]]:
        """A checked ``where``, as ``WHERE …`` written anew, and the columns that it reads."""
        if not text.strip():
            return "", set()
        if len(text) > where.MAX_TEXT:
            raise InvalidParameter(f"A condition may have at most {where.MAX_TEXT} characters.")
        tree = self.tree(f"SELECT 1 FROM data WHERE {text}")
        used = where.check_where(tree, columns)
        return "WHERE " + self.text(tree).partition(" WHERE ")[2], used

    def order(self, text: str, columns: Sequence[str]) -> str:
        """A checked ``orderby``, as ``ORDER BY …`` written anew.

        Rows that are equal in it come as they are in the files: pages would else overlap.
        """
        if not text.strip():
            return ""
        if len(text) > where.MAX_TEXT:
            raise InvalidParameter(f"An order may have at most {where.MAX_TEXT} characters.")
        tree = self.tree(f"SELECT 1 FROM data ORDER BY {text}")
        where.check_orderby(tree, columns)
        asked = self.text(tree).partition(" ORDER BY ")[2]
        return f"ORDER BY {asked}, {', '.join(ROW_NUMBERS)}"

    def query(self, text: str, tables: Sequence[str]) -> str:
        """A checked query of the console, written anew."""
        if len(text) > console.MAX_TEXT:
            raise InvalidParameter(f"A query may have at most {console.MAX_TEXT} characters.")
        tree = self.tree(text)
        console.check_query(tree, tables, self.functions)
        return self.text(tree)

    def _connect(self, tables: Tables) -> duckdb.DuckDBPyConnection:
        memory, threads = self._limits
        connection = duckdb.connect()
        paths = [path for files in tables.values() for path in files]
        for name, files in tables.items():
            connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {scan(files)}")
        for setting in (
            f"SET allowed_paths = {listed(paths)}",
            "SET enable_external_access = false",
            "SET autoinstall_known_extensions = false",
            "SET autoload_known_extensions = false",
            "SET allow_community_extensions = false",
            f"SET memory_limit = '{memory}'",
            f"SET threads = {threads}",
            "SET max_temp_directory_size = '0B'",
            "SET enable_progress_bar = false",
            "SET TimeZone = 'UTC'",
            "SET lock_configuration = true",
        ):
            connection.execute(setting)
        return connection


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def listed(paths: Sequence[str]) -> str:
    """Texts as a list of SQL."""
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def scan(files: Sequence[str]) -> str:
    """The rows of these files, in this order."""
    return f"read_parquet({listed(files)}, union_by_name = false)"


def said(problem: duckdb.Error, paths: Sequence[str]) -> InvalidParameter | QueryTooHeavy:
    """What DuckDB did not like, without names of files of ours."""
    text = str(problem).split("\n\nLINE", 1)[0]
    for path in paths:
        text = text.replace(path, "the data")
    if isinstance(problem, duckdb.OutOfMemoryException):
        return QueryTooHeavy("The query needs more memory than one may have.")
    return InvalidParameter(text[:500])
