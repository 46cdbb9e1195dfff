"""What does an API commit cost beside its own SQL? One small file into a repo of 1,000 files."""

import os
import statistics
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import inside
import psycopg
from clients import Client, ndjson
from django.db import connection
from django.test import Client as Door
from measure import Options, Table, Target, options
from server import Server

from hub.config.postgres import DATABASE, SUPERUSER, socket_folder

FILES = 1000


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its values, as psycopg was given it."""

    query: Any
    values: Any
    binary: bool | None
    by_client: bool
    """Django's own cursors put the values in before they send a statement."""
    in_transaction: bool


def main() -> None:
    asked = options(__doc__ or "")
    with Server(inside.FOLDER) as server:
        client = server.client()
        by_http, by_sql = (_filled(client, name) for name in ("by-http", "by-sql"))
        _compare(server, client, by_http, by_sql, asked)


def _filled(client: Client, name: str) -> str:
    repo = client.create_repo(name)
    client.commit(repo, [_file(number) for number in range(FILES)])
    return repo


def _file(number: int) -> tuple[str, dict[str, str]]:
    content = b64encode(os.urandom(512)).decode()
    return "file", {"path": f"part-{number:04}.txt", "content": content, "encoding": "base64"}


def _compare(server: Server, client: Client, by_http: str, by_sql: str, asked: Options) -> None:
    each = 30 if asked.quick else 200
    rounds: list[tuple[float, ...]] = []
    with psycopg.connect(_conninfo(server), prepare_threshold=5) as bare:
        for _ in range(1 + asked.rounds):
            times = [_one(server, client, by_http, by_sql, bare) for _ in range(each)]
            columns = zip(*times, strict=True)
            rounds.append(tuple(statistics.median(column) * 1000 for column in columns))
    # The first round warms up.
    over_http, inside, everything = zip(*rounds[1:], strict=True)
    table = Table(f"One commit of one file, p50 of {each}, {asked.rounds} rounds")
    target = Target(at_most=2.5)
    table.compare("HTTP : its transaction", over_http, inside, unit="ms", target=target)
    table.compare("HTTP : all its statements", over_http, everything, unit="ms")
    statements = _recorded(server, by_sql)
    count = sum(one.in_transaction for one in statements)
    table.note("statements", count, f"in the transaction, {len(statements) - count} before it")
    table.print()


def _one(
    server: Server, client: Client, by_http: str, by_sql: str, bare: psycopg.Connection[Any]
) -> tuple[float, float, float]:
    """One commit each way: over HTTP, its transaction alone, all its statements."""
    over_http = _by_http(client, by_http)
    statements = _recorded(server, by_sql)
    outside = _replayed(bare, [one for one in statements if not one.in_transaction])
    inside = _replayed(bare, [one for one in statements if one.in_transaction])
    return over_http, inside, inside + outside


def _by_http(client: Client, repo: str) -> float:
    start = time.perf_counter()
    client.commit(repo, [_file(FILES // 2)], "Change one file")
    return time.perf_counter() - start


def _recorded(server: Server, repo: str) -> list[Statement]:
    """Let the product make a commit in this process, take it back, and answer what it sent."""
    body = ndjson("Change one file", [_file(FILES // 2)])
    door = Door(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {server.token}"})
    path, kind = f"/api/models/{repo}/commit/main", "application/x-ndjson"

    def take_back() -> None:
        connection.connection.rollback()

    with _listening() as statements, patch.object(connection, "_commit", take_back):
        answer = door.post(path, body, content_type=kind)
    if answer.status_code != 200:
        raise SystemExit(answer.content.decode())
    return statements


@contextmanager
def _listening() -> Iterator[list[Statement]]:
    """Every statement of this process while the block runs, whichever cursor sends it."""
    heard: list[Statement] = []
    execute = psycopg.Cursor.execute

    def listen(cursor: Any, query: Any, values: Any = None, **how: Any) -> Any:
        by_client = isinstance(cursor, psycopg.ClientCursor)
        in_transaction = not cursor.connection.autocommit
        heard.append(Statement(query, values, how.get("binary"), by_client, in_transaction))
        return execute(cursor, query, values, **how)

    with patch.object(psycopg.Cursor, "execute", listen):
        yield heard


def _replayed(bare: psycopg.Connection[Any], statements: list[Statement]) -> float:
    """Send the very same statements with nothing around them, as one transaction."""
    start = time.perf_counter()
    for one in statements:
        cursor = (psycopg.ClientCursor if one.by_client else psycopg.Cursor)(bare)
        cursor.execute(one.query, one.values, binary=one.binary)
        if cursor.description:
            cursor.fetchall()
    bare.commit()
    return time.perf_counter() - start


def _conninfo(server: Server) -> str:
    return f"dbname={DATABASE} user={SUPERUSER} host={socket_folder(server.data)}"


if __name__ == "__main__":
    main()
