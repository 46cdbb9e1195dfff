"""Guarded SQL over the splits of one dataset, and what changed between two of its revisions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasets_app.errors import InvalidParameter, NotReady
from datasets_app.models import Split, State
from datasets_app.queries.rows import Found, rows_of
from datasets_app.serving.pool import pool
from hub.models import Repo

if TYPE_CHECKING:
    import pyarrow as pa

MAX_TABLES = 32
MAX_ROWS = 100_000
FIRST = "data"
Tables = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a query; ``is_cut``: there are more."""

    table: "pa.Table"
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """How rows of a split differ between two revisions."""

    added: int
    removed: int
    changed: int | None
    """Rows of the same key and other values; None without a key."""
    before: int
    after: int
    examples: Mapping[str, "pa.Table"]
    """A few rows of each kind of change."""


def tables_of(repo: Repo, splits: Sequence[Split]) -> dict[str, list[str]]:
    """The files of each split by the names that queries may use for it.

    Every split is ``"config/split"``; those of the first config also go by their own names, and
    the first split is ``data``.

    Raises:
        NotReady: no split is ready.
    """
    ready = [split for split in splits if split.state == State.READY][:MAX_TABLES]
    if not ready:
        raise NotReady
    named: dict[str, list[str]] = {}
    for split in ready:
        files = rows_of(repo, split).tables()[FIRST]
        if not files:
            continue
        named[f"{split.config.name}/{split.name}"] = files
        if split.config_id == ready[0].config_id:
            named.setdefault(split.name, files)
        named.setdefault(FIRST, files)
    return named


def result_of(tables: Tables, sql: str, caller: str, most: int = MAX_ROWS) -> Result:
    """The first rows of a query.

    Raises:
        InvalidParameter: it is not a query that may be asked.
        QueryTooHeavy, TooManyQueries: it takes too much, or everybody is busy.
    """
    import pyarrow as pa  # noqa: PLC0415 - a hub without datasets never pays for it

    question = {"ask": "sql", "tables": tables, "sql": sql, "limit": min(most, MAX_ROWS)}
    answer = pool.ask(question, caller)
    with pa.ipc.open_stream(pa.py_buffer(answer.body)) as stream:
        table = stream.read_all()
    return Result(table, bool(answer.head["truncated"]))


def changes_between(before: Found, after: Found, key: str, caller: str) -> Changes:
    """What rows came, went and changed: by ``key``, or without one by their values.

    Raises:
        InvalidParameter: the key is no column of both, or they share no column.
        QueryTooHeavy, TooManyQueries: as :func:`result_of`.
    """
    shared = [name for name in after.columns if name in before.features]
    if not shared or (key and key not in shared):
        raise InvalidParameter("The revisions share no such column.")
    tables = {"old": before.tables()[FIRST], "new": after.tables()[FIRST]}
    names = ", ".join(_quoted(name) for name in shared)
    old, new = (f"(SELECT {names} FROM {table})" for table in tables)
    ways = _by_key(_quoted(key), old, new) if key else _by_value(old, new)
    counts: dict[str, int] = {}
    examples: dict[str, pa.Table] = {}
    for kind, query in ways.items():
        found = result_of(tables, f"SELECT count(*) AS n FROM ({query})", caller)
        counts[kind] = found.table["n"][0].as_py()
        if counts[kind]:
            examples[kind] = result_of(tables, query, caller, most=20).table
    return Changes(
        counts["added"],
        counts["removed"],
        counts.get("changed"),
        before.rows.num_rows,
        after.rows.num_rows,
        examples,
    )


def _by_value(old: str, new: str) -> dict[str, str]:
    return {
        "added": f"SELECT * FROM {new} EXCEPT ALL SELECT * FROM {old}",
        "removed": f"SELECT * FROM {old} EXCEPT ALL SELECT * FROM {new}",
    }


def _by_key(key: str, old: str, new: str) -> dict[str, str]:
    same = f"o.{key} = n.{key}"
    return {
        "added": f"SELECT n.* FROM {new} n ANTI JOIN {old} o ON {same}",
        "removed": f"SELECT o.* FROM {old} o ANTI JOIN {new} n ON {same}",
        "changed": f"SELECT n.* FROM {new} n JOIN {old} o ON {same} WHERE n IS DISTINCT FROM o",
    }


def _quoted(name: str) -> str:
    return '"' + re.sub('"', '""', name) + '"'
