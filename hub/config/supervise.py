"""`manage.py up`: embedded PostgreSQL, web, worker and beat as children of one process."""

import argparse
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import structlog

from hub.config import fingerprint, logs
from hub.config.children import Child, Family, settle
from hub.config.env import BadEnvironment, Env, load
from hub.config.postgres import CannotRun, Postgres

log = structlog.get_logger(__name__)

STOP_SECONDS = 8.0
"""How long web and workers may finish what they do; with PostgreSQL's end it stays below ten."""
POSTGRES_STOP_SECONDS = 20.0
POSTGRES_START_SECONDS = 300.0
"""Long enough for crash recovery of a large database."""
POLL_SECONDS = 0.05
PORT_WAIT_SECONDS = 3.0
"""The web server of a supervisor killed a moment ago lets go of its port within this time."""

WEB = "--config python:hub.config.gunicorn hub.config.wsgi:application"
WORKER = (
    "--quiet --app hub.config.celery worker --queues cpu"
    " --without-gossip --without-mingle --without-heartbeat"
)
# What takes long runs in children of its own jobs: threads that wait for them are enough.
HEAVY = (
    "--quiet --app hub.config.celery worker --queues heavy --pool threads"
    " --without-gossip --without-mingle --without-heartbeat"
)
# One process holds the models; its threads only wait for them.
GPU = (
    "--quiet --app hub.config.celery worker --queues gpu --pool threads --concurrency 4"
    " --without-gossip --without-mingle --without-heartbeat"
)
BEAT = "--quiet --app hub.config.celery beat --pidfile="


def main(arguments: Sequence[str]) -> int:
    """Run the whole hub until Ctrl-C or SIGTERM."""
    env = _environment(arguments)
    logs.configure(env.log_format, env.log_level)
    with _lock(env.data), Family() as family:
        _check_port(env)
        servers, others = _children(env, workers=not _options(arguments).no_workers)
        try:
            _run(env, family, servers, others)
        finally:
            log.info("stopping")
            family.stop(others, seconds=STOP_SECONDS)
            family.stop(servers, seconds=POSTGRES_STOP_SECONDS)
            log.info("stopped")
    return 0


def _run(env: Env, family: Family, servers: list[Child], others: list[Child]) -> None:
    fresh = not fingerprint.is_current(env)
    for server in servers:
        family.add(server)
    if fresh and servers:
        _wait_for_postgres(env, family, servers[0])
    greeting = _prepare(env) if fresh and not family.stopping else ""
    web, *workers = others
    family.add(web)

    def started() -> bool:
        """Workers come once web answers: on few cores they would only slow each other's start."""
        if not _is_ready(env):
            return False
        for worker in workers:
            family.add(worker)
        sys.stdout.write(f"\nWeighhouse is up: {env.public_url}\n{greeting}\n")
        sys.stdout.flush()
        return True

    family.run(while_starting=started)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="manage.py up", description="Run the whole hub on this machine, until Ctrl-C."
    )
    parser.add_argument("--port", help="where to listen (WEIGHHOUSE_PORT, 8000)")
    parser.add_argument("--data", help="folder of all data (WEIGHHOUSE_DATA, .data)")
    parser.add_argument("--no-workers", action="store_true", help="only the web server")
    return parser.parse_args(arguments)


def _environment(arguments: Sequence[str]) -> Env:
    """Say to every child by the environment what the options said to us."""
    options = _options(arguments)
    for name in ("port", "data"):
        if (value := getattr(options, name)) is not None:
            os.environ.pop(f"WEIGHHOUSE_{name.upper()}_FILE", None)
            os.environ[f"WEIGHHOUSE_{name.upper()}"] = value
    if sys.stderr.isatty():
        os.environ.setdefault("WEIGHHOUSE_LOG_FORMAT", "console")
    os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"
    env = load()
    os.environ["WEIGHHOUSE_DATA"] = str(env.data)
    return env


@contextmanager
def _lock(data: Path) -> Iterator[None]:
    try:
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        held = (data / "lock").open("w")
    except OSError as reason:
        raise BadEnvironment(f"The data folder cannot be used: {reason}.") from None
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadEnvironment(f"Another hub already runs on the data in {data}.") from None
        yield


def _check_port(env: Env) -> None:
    family = socket.AF_INET6 if ":" in env.bind else socket.AF_INET
    end = time.monotonic() + PORT_WAIT_SECONDS
    while True:
        with closing(socket.socket(family)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((env.bind, env.port))
            except OSError as reason:
                if time.monotonic() > end:
                    raise BadEnvironment(
                        f"Port {env.port} on {env.bind} cannot be used: {reason.strerror}. "
                        "Choose another by --port or WEIGHHOUSE_PORT."
                    ) from None
            else:
                return
        time.sleep(0.1)


def _children(env: Env, *, workers: bool) -> tuple[list[Child], list[Child]]:
    """Answer the servers that end last, and what stands on them, web first."""
    servers = [] if env.database_url else [_postgres(env)]
    others = [_python("web", "gunicorn", *WEB.split())]
    if workers:
        concurrency = ("--concurrency", str(env.worker_concurrency))
        others.append(_python("worker", "celery", *WORKER.split(), *concurrency))
        at_once = ("--concurrency", str(env.heavy_concurrency))
        others.append(_python("heavy", "celery", *HEAVY.split(), *at_once))
        if find_spec("torch") is not None:
            others.append(_python("gpu", "celery", *GPU.split()))
        else:
            log.info("no_inference", reason="the dependency group `ml` is not installed")
        schedule = ("--schedule", str(env.data / "beat"))
        others.append(_python("beat", "celery", *BEAT.split(), *schedule))
    return servers, others


def _postgres(env: Env) -> Child:
    postgres = Postgres(env.data)
    postgres.prepare()
    return Child(
        "postgres",
        postgres.command(),
        {"PATH": os.defpath, "LC_ALL": "C"},
        stop_signal=signal.SIGINT,  # a fast shutdown: sessions end, data is flushed
        orphan_signal=signal.SIGINT,
        user=postgres.user,
        log_to=os.open(env.data / "postgres.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640),
    )


def _python(name: str, module: str, *arguments: str) -> Child:
    """A child in our own Python; orphaned it ends at once, and the next start finds its port."""
    command = [sys.executable, "-m", module, *arguments]
    return Child(name, command, dict(os.environ), orphan_signal=signal.SIGQUIT)


def _wait_for_postgres(env: Env, family: Family, server: Child) -> None:
    postgres = Postgres(env.data)
    end = time.monotonic() + POSTGRES_START_SECONDS
    while family.runs(server) and time.monotonic() < end:
        if postgres.answers():
            postgres.create_database()
            return
        time.sleep(POLL_SECONDS)
    if not family.stopping:
        raise CannotRun(f"PostgreSQL does not start; {env.data / 'postgres.log'} tells why.")


def _prepare(env: Env) -> str:
    """Migrate, make the first account, declare the queues; answer what to tell about it."""
    command = [sys.executable, "-m", "hub.config.preparation"]
    done = subprocess.run(  # noqa: S603 - a command of our own; the parent has one thread
        command, stdout=subprocess.PIPE, text=True, check=False, preexec_fn=settle
    )
    if done.returncode:
        raise CannotRun("The database could not be brought up to date; the lines above tell why.")
    return done.stdout


def _is_ready(env: Env) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(env.bind, env.bind)  # noqa: S104
    with closing(http.client.HTTPConnection(host, env.port, timeout=5)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
