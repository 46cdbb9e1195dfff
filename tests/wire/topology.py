"""The hub as it is deployed: nginx in front, PostgreSQL over TCP, Redis, worker and beat.

No container runs here; the same parts run as processes of this machine: Debian's nginx with the
template that is shipped, Debian's redis-server as broker and cache, the embedded PostgreSQL on a
TCP port.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import psycopg

from hub.config.children import Child
from hub.config.postgres import DATABASE, SUPERUSER, Postgres
from tests.live import READY_SECONDS, LiveServer, free_port, wait_until
from tests.wire.clients import ROOT, missing

ACCEL_PREFIX = "/_store/"
MULTIPART_FROM = 5_000_000
"""Small, so that uploads of a test come in parts."""
MOVED_BYTES = 20_000_000
"""What is moved once more where the hub stands differently."""
STOP_SECONDS = 20
_NGINX = """\
{user}
worker_processes 2;
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {server}
}}
"""


@contextmanager
def deployed() -> Iterator[LiveServer]:
    """A hub of all its parts, reached through the proxy; everything ends with the context."""
    with TemporaryDirectory(prefix="weighhouse-deployed-") as folder, ExitStack() as parts:
        home = Path(folder)
        # The embedded PostgreSQL may run as another user, who must be able to enter.
        home.chmod(0o711)
        database = parts.enter_context(_postgres(home / "database"))
        redis = parts.enter_context(_redis(home / "redis"))
        web, front = free_port(), free_port()
        data = home / "data"
        parts.enter_context(_nginx(home / "nginx", front, web, data / "store"))
        environ = {
            "WEIGHHOUSE_PORT": str(web),
            "WEIGHHOUSE_DATABASE_URL": database,
            "WEIGHHOUSE_BROKER_URL": f"{redis}/0",
            "WEIGHHOUSE_CACHE_URL": f"{redis}/1",
            "WEIGHHOUSE_ACCEL_PREFIX": ACCEL_PREFIX,
            "WEIGHHOUSE_LFS_MULTIPART_FROM": str(MULTIPART_FROM),
            "WEIGHHOUSE_LFS_PART_BYTES": str(MULTIPART_FROM),
        }
        url = f"http://127.0.0.1:{front}"
        yield parts.enter_context(LiveServer(data, environ=environ, front=url, workers=True))


@contextmanager
def _postgres(data: Path) -> Iterator[str]:
    """PostgreSQL on a TCP port; answer its URL."""
    postgres, port = Postgres(data), free_port()
    postgres.prepare()
    over_tcp = ("-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "fsync=off")
    command = [*postgres.command(), *over_tcp]
    child = Child(
        "postgres",
        command,
        {"PATH": os.defpath, "LC_ALL": "C"},
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        user=postgres.user,
        log_to=_log(data),
    )
    with _running(child, port):
        address = f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
        wait_until(lambda: _answers(address), READY_SECONDS, "PostgreSQL over TCP")
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        yield f"{address}/{DATABASE}"


def _answers(address: str) -> bool:
    try:
        psycopg.connect(f"{address}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _redis(home: Path) -> Iterator[str]:
    home.mkdir()
    port = free_port()
    options = f"--port {port} --bind 127.0.0.1 --appendonly no --dir {home}".split()
    command = [_program("redis-server"), *options, "--save", ""]
    with _running(Child("redis", command, {"LC_ALL": "C"}, log_to=_log(home)), port):
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def _nginx(home: Path, front: int, web: int, store: Path) -> Iterator[None]:
    """The proxy with its own template, filled in as its image would."""
    home.mkdir()
    template = Template((ROOT / "deploy" / "nginx.conf.template").read_text())
    server = template.safe_substitute(
        LISTEN=f"127.0.0.1:{front}", WEB_UPSTREAM=f"127.0.0.1:{web}", STORE_DIR=f"{store}/"
    )
    user = "user root;" if os.geteuid() == 0 else ""
    config = home / "nginx.conf"
    config.write_text(_NGINX.format(user=user, home=home, server=server))
    command = [_program("nginx"), "-c", str(config), "-p", str(home), "-e", f"{home}/error.log"]
    with _running(Child("nginx", command, {"PATH": os.defpath}, log_to=_log(home)), front):
        yield


@contextmanager
def _running(child: Child, port: int) -> Iterator[None]:
    child.start()
    try:
        wait_until(lambda: _listens(port), READY_SECONDS, child.name)
        yield
    finally:
        _end(child)


def _end(child: Child) -> None:
    if child.process is None:
        return
    child.signal(child.stop_signal)
    try:
        child.process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.signal(signal.SIGKILL, group=True)
        child.process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _log(folder: Path) -> int:
    return os.open(folder / "output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        missing(f"Debian's {name} is not installed")
    return str(found)
