"""Fixtures for everybody: one embedded PostgreSQL for the run, a database for each test process.

Nobody works at the queues, but a bell that is rung must find them: what fails would be told in the
log of each test.
"""

import shutil
import signal
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from hub.config.children import Child
from hub.config.env import load
from hub.config.postgres import Postgres
from hub.config.preparation import declare_queues
from hub.queries.fsck.leftovers import GIT_TABLES
from teams.models import sql
from tests.cast import Cast, gather
from tests.s3 import RadosGateway, S3Server, moto_server, rados_gateway
from tests.settings import OWN_DATA
from tests.statements import Statements

_server: Child | None = None


def _start_postgres() -> None:
    global _server  # noqa: PLW0603 - one server for the process, whichever hook asks first
    if _server is not None or load().database_url:
        return
    postgres = Postgres(settings.DATA)
    postgres.prepare()
    fast = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    with (settings.DATA / "postgres.log").open("ab") as output:
        _server = Child(
            "postgres",
            [*postgres.command(), *fast],
            {"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            orphan_signal=signal.SIGINT,
            user=postgres.user,
            log_to=output.fileno(),
        )
        _server.start()
    end = time.monotonic() + 60
    while not postgres.answers():
        assert time.monotonic() < end, "PostgreSQL does not start"
        time.sleep(0.05)
    if not load().broker_url:
        declare_queues(load().broker_folder)


def pytest_configure(config: pytest.Config) -> None:
    """With several test processes the first one holds the server, since it ends last."""
    if config.getoption("numprocesses", None):
        _start_postgres()


def pytest_unconfigure() -> None:
    if _server is not None and _server.process is not None:
        _server.signal(signal.SIGINT)
        _server.process.wait(timeout=30)
    if OWN_DATA is not None:
        shutil.rmtree(OWN_DATA, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """The moment before the test database is made: pure tests never come here."""
    if not hasattr(request.config, "workerinput"):
        _start_postgres()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests with transactions of their own leave by TRUNCATE, which the audit log refuses."""
    with django_db_blocker.unblock():
        sql.run("ALTER TABLE teams_auditentry DISABLE TRIGGER audit_is_never_emptied")


@pytest.fixture(autouse=True)
def nothing_is_left_of_history(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Tests that really commit leave by Django's flush, which empties only tables of models."""
    yield
    mark = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames
    if commits or (mark is not None and mark.kwargs.get("transaction")):
        with django_db_blocker.unblock():
            sql.run(f"TRUNCATE {', '.join(GIT_TABLES)}")


@pytest.fixture
def cast(db: None) -> Cast:
    """Ada, Ben, Cleo and Root, and the organisation of the first two."""
    return gather()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Counts SQL statements."""
    return Statements(monkeypatch)


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    """A double of S3: fast, and it believes every signature."""
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def ceph() -> Iterator[RadosGateway]:
    """A real S3 server; mark the tests that ask for it ``ceph``."""
    with rados_gateway() as gateway:
        yield gateway
