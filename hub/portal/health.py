"""Is the process up; may it be given work: for load balancers and the supervisor."""

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from kombu.exceptions import OperationalError

from hub.queries.fsck import damage
from hub.queries.store import blob_store
from teams.errors import Refusal
from teams.http.json_answer import JsonAnswer
from teams.http.views import PortalView, Public

PROBE = "ready"
"""A key under which nothing lies: asking for it shows that the store answers."""
LEAST_FREE_SHARE = 0.01
BROKER_SECONDS = 1.0


class NotReady(Exception):
    """A check failed; its text says what is wrong, without secrets."""


class Alive(PortalView):
    """GET /healthz: the process answers; no I/O."""

    bucket = ""
    authz = {"get": Public("Load balancers have no account, and it tells nothing.")}

    def get(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok\n", content_type="text/plain")


class Ready(PortalView):
    """GET /readyz: everything that a request may need is there; 503 says what is not.

    How much of what is stored is known to be damaged stands beside it: that is for people, and no
    reason to send requests elsewhere.
    """

    bucket = ""
    authz = {"get": Public("Load balancers have no account; the checks have names, no addresses.")}

    def get(self, _request: HttpRequest) -> JsonAnswer:
        results = {name: _result(check) for name, check in CHECKS.items()}
        good = all(result == "ok" for result in results.values())
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        told: dict[str, object] = {"ready": good, "checks": results}
        if results["database"] == results["migrations"] == "ok":
            told["damaged"] = damage.counts()
        response = JsonAnswer(told, status=status)
        response["Cache-Control"] = "no-store"
        return response


def _result(check: Callable[[], None]) -> str:
    try:
        check()
    except NotReady as reason:
        return str(reason)
    except (DatabaseError, OSError, OperationalError) as error:
        return type(error).__name__
    return "ok"


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_migrations() -> None:
    if not _migrated():
        _migrated.cache_clear()
        raise NotReady("there are unapplied migrations")


@cache
def _migrated() -> bool:
    """Asked once: a process that saw its schema complete never sees it lose a migration."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _check_store() -> None:
    home = _store_folder()
    if home is None:
        try:
            # To list is refused where there is no bucket; to ask for one key is not.
            next(blob_store().keys(PROBE), None)
        except Refusal:
            raise NotReady("the store does not answer") from None
        return
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=home) as probe:
        probe.write(b"ready?")


def _check_disk() -> None:
    for folder in {_store_folder() or settings.DATA, settings.DATA}:
        usage = shutil.disk_usage(folder)
        if usage.free < LEAST_FREE_SHARE * usage.total:
            raise NotReady("less than 1 % of the disk is free")


def _store_folder() -> Path | None:
    """Where bytes lie, if that is a disk of ours."""
    parts = urlsplit(settings.STORE_URL)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _check_broker() -> None:
    with current_app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "migrations": _check_migrations,
    "store": _check_store,
    "disk": _check_disk,
    "broker": _check_broker,
}
