"""A psycopg cursor on Django's connection: binary results, bound on the server, same transaction.

The hot tables hold bytes; Django's own cursor would send and read them as hexadecimal text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection

Values = Sequence[Any] | Mapping[str, Any]


def rows(query: str, values: Values = (), *, prepare: bool | None = None) -> list[tuple[Any, ...]]:
    """Run ``query`` and answer all its rows.

    With ``prepare=False`` it is planned anew each time, for values that need different plans.
    """
    return _run(query, values, prepare=prepare).fetchall()


def row(query: str, values: Values = ()) -> tuple[Any, ...] | None:
    """Run ``query`` and answer its first row."""
    return _run(query, values).fetchone()


def stream(query: str, values: Values, *, at_once: int) -> Iterator[tuple[Any, ...]]:
    """Run ``query`` and answer its rows as they come, ``at_once`` of them in memory.

    PostgreSQL reads on while we work. Until the last row no other statement can run.
    """
    with connection.wrap_database_errors, psycopg.Cursor(raw_connection()) as cursor:
        yield from cursor.stream(query.encode(), values, binary=True, size=at_once)


def run(query: str, values: Values = ()) -> int:
    """Run a statement and answer how many rows it touched."""
    return _run(query, values).rowcount


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a statement that was sent; whoever reads it waits until it is there."""

    cursor: "psycopg.Cursor[tuple[Any, ...]]"

    def rows(self) -> list[tuple[Any, ...]]:
        with connection.wrap_database_errors:
            return self.cursor.fetchall()

    def row(self) -> tuple[Any, ...] | None:
        with connection.wrap_database_errors:
            return self.cursor.fetchone()


@contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements of the block without a wait for each answer.

    They run in order, each on what the ones before it did. An error is raised where a reply is
    read, or at the end of the block; what was sent after it does not run. COPY and streams have no
    place in it.
    """
    with connection.wrap_database_errors, raw_connection().pipeline():
        yield


def send(query: str, values: Values = ()) -> Reply:
    """Send a statement within a pipeline; its reply may be read at any time before its end."""
    return Reply(_run(query, values))


def copy(table: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add many rows to ``table``, which names its columns, by COPY."""
    with connection.wrap_database_errors, psycopg.Cursor(raw_connection()) as cursor:
        statement = f"COPY {table} FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement.encode()) as writing:
            writing.set_types(types)
            for one in rows:
                writing.write_row(one)


def raw_connection() -> "psycopg.Connection[tuple[Any, ...]]":
    """Django's psycopg connection, opened if it was not."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection.connection  # type: ignore[no-any-return]


def _run(
    query: str, values: Values, *, prepare: bool | None = None
) -> "psycopg.Cursor[tuple[Any, ...]]":
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(raw_connection())
        return cursor.execute(query.encode(), values, prepare=prepare, binary=True)
