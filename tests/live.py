"""LiveServer: the real product in processes of its own, as `manage.py up` runs it.

The pieces are those of the supervisor, but each may be killed and started alone, at once and as
often as a test likes: the supervisor would wait longer after every death.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]

from hub.config.children import Child
from hub.config.postgres import Postgres
from hub.config.supervise import BEAT, WEB, WORKER

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60.0
_POLL_SECONDS = 0.02
_HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(_POLL_SECONDS)


class LiveServer:
    """One hub with a data folder of its own.

    ``environ`` are variables of the product (``WEIGHHOUSE_DATABASE_URL`` …); ``front`` is where
    clients reach it if that is a proxy; ``durable`` keeps PostgreSQL's promises, for tests that
    break things.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        front: str = "",
        workers: bool = False,
        durable: bool = False,
    ) -> None:
        self._own = None if data else Path(tempfile.mkdtemp(prefix="weighhouse-live-"))
        self.data = data or self._own or Path()
        # Started by root, the embedded PostgreSQL runs as another user, who must be able to enter.
        self.data.mkdir(exist_ok=True)
        self.data.chmod(0o711)
        given = dict(environ or {})
        self.port = int(given.get("WEIGHHOUSE_PORT", 0)) or free_port()
        self.url = front or f"http://127.0.0.1:{self.port}"
        self.log = self.data / "live.log"
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith("WEIGHHOUSE_")}
        self._environ |= {"WEIGHHOUSE_DATA": str(self.data), "WEIGHHOUSE_PORT": str(self.port)}
        self._environ |= {"WEIGHHOUSE_RATE_ANONYMOUS": "", "WEIGHHOUSE_RATE_USER": ""}
        self._environ |= {"WEIGHHOUSE_URL": front} | given
        self._durable, self._workers = durable, workers
        self._tokens: dict[tuple[str, str], str] = {}
        self._postgres: Child | None = None
        self._others: list[Child] = []
        self.web = self._python("web", "gunicorn", *WEB.split())

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        self.stop()

    def start(self) -> None:
        self.start_postgres()
        told = self._run("-m", "hub.config.preparation").stdout
        if found := re.search(r"^export HF_TOKEN=(\S+)$", told, re.MULTILINE):
            self._tokens["admin", "write"] = found[1]
        self.start_web()
        if self._workers:
            self.start_workers()

    def start_workers(self, **environ: str) -> None:
        """Start a worker of the queue, with these variables, and the scheduler."""
        # One process does for a test what two do for a hub.
        worker = WORKER.replace("--queues cpu", "--queues cpu,heavy").split()
        beat = ("--schedule", str(self.data / "beat"))
        self._others = [
            self._python("worker", "celery", *worker, "--concurrency", "1", **environ),
            self._python("beat", "celery", *BEAT.split(), *beat),
        ]
        for child in self._others:
            child.start()

    def kill_workers(self) -> None:
        for child in self._others:
            _kill(child)

    def stop(self) -> None:
        for child in (*self._others, self.web):
            _end(child, signal.SIGTERM)
        if self._postgres is not None:
            _end(self._postgres, signal.SIGINT)
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def start_web(self) -> None:
        self.web.start()
        self.wait_ready()

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        wait_until(self._settled, seconds, f"ready; {self.log} tells why")

    def is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to work on this server's data."""
        return {**self._environ, "DJANGO_SETTINGS_MODULE": "hub.config.settings"}

    def restart_web(self, **environ: str) -> None:
        """Start the web server anew, with these variables beside those of all."""
        self.kill_web()
        self.web = self._python("web", "gunicorn", *WEB.split(), **environ)
        self.start_web()

    def web_workers(self) -> list[psutil.Process]:
        """The processes that serve requests."""
        return psutil.Process(self.web.process.pid).children() if self.web.process else []

    def kill_web(self) -> None:
        """Kill gunicorn and its workers at once; ``start_web`` brings them back."""
        _kill(self.web)

    def kill_worker(self) -> None:
        """Kill one process that serves requests; gunicorn starts another."""
        for worker in self.web_workers()[:1]:
            with suppress(psutil.NoSuchProcess):
                worker.kill()

    def start_postgres(self) -> None:
        if "WEIGHHOUSE_DATABASE_URL" in self._environ:
            return
        postgres = Postgres(self.data)
        postgres.prepare()
        haste = [] if self._durable else [part for fast in _HASTE for part in ("-c", fast)]
        with (self.data / "postgres.log").open("ab") as output:
            self._postgres = Child(
                "postgres",
                [*postgres.command(), *haste],
                {"PATH": os.defpath, "LC_ALL": "C"},
                orphan_signal=signal.SIGINT,
                user=postgres.user,
                log_to=output.fileno(),
            )
            self._postgres.start()
        wait_until(postgres.answers, READY_SECONDS, "PostgreSQL")
        postgres.create_database()

    def kill_postgres(self) -> None:
        """Kill the server and all its sessions at once; ``start_postgres`` recovers."""
        if self._postgres is not None:
            _kill(self._postgres)

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` on this server's data and answer what it prints."""
        return self._run("manage.py", *arguments).stdout.strip()

    def fsck(self, *arguments: str) -> list[str]:
        """What ``hub_fsck`` finds: nothing, if all is well."""
        done = self._run("manage.py", "hub_fsck", *arguments, check=False)
        lines = done.stdout.splitlines()
        assert lines, done.stderr
        return lines[:-1] if done.returncode else []

    def create_user(self, name: str, *options: str) -> str:
        return self.manage("create_user", name, *options)

    def create_org(self, name: str, *, owner: str) -> str:
        return self.manage("create_org", name, "--owner", owner)

    def add_member(self, organisation: str, user: str, *, role: str) -> str:
        return self.manage("add_member", organisation, user, "--role", role)

    def token(self, user: str = "admin", role: str = "write") -> str:
        """A token of ``user``, the same one each time. The user ``admin`` is always there."""
        if (user, role) not in self._tokens:
            self._tokens[user, role] = self.manage("create_token", user, "--role", role)
        return self._tokens[user, role]

    def told(self) -> str:
        return self.log.read_text()

    def _settled(self) -> bool:
        assert self.web.process is None or self.web.process.poll() is None, self.told()[-4000:]
        return self.is_ready()

    def ran(self, *command: str, **environ: str) -> int:
        """Run a program of ours with these variables; answer how it ended."""
        return self._run(*command, check=False, **environ).returncode

    def _run(
        self, *command: str, check: bool = True, **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**self._environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not (check and done.returncode), f"{command}: {done.stdout}{done.stderr}"
        return done

    def _python(self, name: str, module: str, *arguments: str, **more: str) -> Child:
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        command = [sys.executable, "-m", module, *arguments]
        environ = {**self._environ, "PYTHONPATH": str(ROOT), **more}
        return Child(name, command, environ, orphan_signal=signal.SIGQUIT, log_to=output)


def _end(child: Child, how: signal.Signals) -> None:
    if child.process is None:
        return
    child.signal(how)
    try:
        child.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        _kill(child)
    child.process = None


def _kill(child: Child) -> None:
    if child.process is None:
        return
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(child.process.pid).children(recursive=True)
        # Frozen first, the parent cannot start another one while its children die.
        child.signal(signal.SIGSTOP)
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    child.signal(signal.SIGKILL)
    child.process.wait()
    psutil.wait_procs(family, timeout=10)
    child.process = None
