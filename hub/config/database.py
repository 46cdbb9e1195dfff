"""Which PostgreSQL: the one that an operator names, or the embedded one in the data folder."""

from pathlib import Path
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from hub.config.env import BadEnvironment, Env
from hub.config.postgres import DATABASE, SUPERUSER, socket_folder


def settings_of(env: Env) -> dict[str, Any]:
    """A value for Django's DATABASES."""
    given = _parse(env.database_url) if env.database_url else _embedded(env.data)
    return {
        "ENGINE": "hub.config.engine",
        "NAME": given.pop("dbname", DATABASE),
        "USER": given.pop("user", SUPERUSER),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0 if env.database_pool else 60,
        # For connections that are kept without a pool; those of the pool the engine looks at.
        "CONN_HEALTH_CHECKS": not env.database_pool,
        "OPTIONS": {**given, **_pool(env.database_pool), "prepare_threshold": 5},
    }


def _pool(size: int) -> dict[str, Any]:
    """For threads of the web server: a connection goes back to the pool when its request ends.

    A pool tries again ever more rarely while PostgreSQL is away, until it gives up and lets the
    next request try. It gives up soon, or a request would wait in vain for a server that is back.
    """
    if not size:
        return {}
    waits = {"timeout": 5, "reconnect_timeout": 2, "max_idle": 300}
    return {"pool": {"min_size": 1, "max_size": size, **waits}}


def _embedded(data: Path) -> dict[str, Any]:
    return {"dbname": DATABASE, "user": SUPERUSER, "host": str(socket_folder(data))}


def _parse(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except ProgrammingError as reason:
        raise BadEnvironment(f"WEIGHHOUSE_DATABASE_URL cannot be used: {reason}.") from None
