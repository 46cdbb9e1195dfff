"""The product on scratch data, started by `manage.py up`, and Debian's nginx."""

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
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]
from clients import Client
from measure import ROOT, Processes

from hub.config.supervise import WEB

READY_SECONDS = 300.0
STOP_SECONDS = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {READY_SECONDS:g} s")
        time.sleep(0.05)


def answers(port: int, path: str = "/readyz") -> bool:
    """Whether anybody at ``port`` answers this path with 200."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False


def scratch_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="weighhouse-bench-"))
    # Started by root, the embedded PostgreSQL runs as another user, who must be able to enter.
    folder.chmod(0o711)
    return folder


class Server:
    """One hub without workers, a token that may write, and a folder that goes with it.

    Its data lies in ``folder / "data"``, which may be prepared before; ``environ`` are variables
    of the product.
    """

    def __init__(self, folder: Path | None = None, **environ: str) -> None:
        self.folder = folder or scratch_folder()
        self.data = self.folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self._log = self.folder / "up.log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("WEIGHHOUSE_")}
        unlimited = {"WEIGHHOUSE_RATE_ANONYMOUS": "", "WEIGHHOUSE_RATE_USER": ""}
        self._environ = clean | {"WEIGHHOUSE_DATA": str(self.data)} | unlimited | environ
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--no-workers"]
        try:
            self.start_beside([*command, "--port", str(self.port)], self._environ)
            wait_until(self._is_up, f"The hub (see {self._log})")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        self.stop()

    def stop(self) -> None:
        for process in reversed(self._processes):
            _end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_beside(self, command: list[str], environ: Mapping[str, str] = os.environ) -> int:
        """Start another program, which ends with the hub; answer its process."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(process)
        return process.pid

    def _is_up(self) -> bool:
        if self._processes[0].poll() is not None:
            raise SystemExit(self._log.read_text())
        told = self._log.read_text()
        if found := re.search(r"^export HF_TOKEN=(\S+)$", told, re.MULTILINE):
            self.token = found[1]
        return "Weighhouse is up" in told and bool(self.token)

    @property
    def web(self) -> int:
        """The first process of the web server."""
        return self._child("gunicorn")

    @property
    def postgres(self) -> int:
        return self._child("postgres")

    def _child(self, word: str) -> int:
        up = psutil.Process(self._processes[0].pid)
        return next(int(one.pid) for one in up.children() if word in " ".join(one.cmdline()))

    def second_web(self, **environ: str) -> tuple[int, int]:
        """Start one more web server on the same data; answer its port and its first process."""
        port = free_port()
        given = {**self._environ, "WEIGHHOUSE_PORT": str(port), "PYTHONPATH": str(ROOT), **environ}
        pid = self.start_beside([sys.executable, "-m", "gunicorn", *WEB.split()], given)
        wait_until(lambda: answers(port), "The second web server")
        return port, pid

    def nginx(self, config: str, port: int) -> int:
        """Start Debian's nginx with these lines inside its http { }; answer its first process."""
        home = self.folder / f"nginx-{port}"
        home.mkdir()
        conf = home / "nginx.conf"
        conf.write_text(_NGINX.format(user=_user_line(), home=home, http=config))
        command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(conf), "-p", str(home)]
        pid = self.start_beside(command)
        wait_until(lambda: _listens(port), f"nginx (see {self._log})")
        return pid

    def all_web(self) -> Processes:
        return Processes(self.web)

    def client(self) -> Client:
        return Client(self.url, self.token)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end; end by force what it leaves behind."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


_NGINX = """\
{user}worker_processes auto;
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
{http}
}}
"""
"""The directives of Debian's own nginx.conf, with everything in a scratch folder."""


def _user_line() -> str:
    return "user root;\n" if os.geteuid() == 0 else ""


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
