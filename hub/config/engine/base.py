"""DatabaseWrapper: what Django loads for ``ENGINE = "hub.config.engine"``."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks at the socket of a pooled connection, and asks the server only if there is news.

    Django's own check is a query before each request. A server that ends says so on its idle
    connections or closes them, and else it is silent. One that dies without a word is noticed
    by the next query, as it would be between check and query.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while True:
            connection = super().get_new_connection(conn_params)
            pool = self.pool
            if pool is None or not _has_news(connection) or _still_answers(connection):
                return connection
            pool.putconn(connection)


def _has_news(connection: "psycopg.Connection[Any]") -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _still_answers(connection: "psycopg.Connection[Any]") -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        connection.close()
        return False
    return True
