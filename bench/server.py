"""The product on scratch data, started by `manage.py up`, and the plain requests to fill it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
from measure import MIB, ROOT, Processes

READY_SECONDS = 120.0
USER = "admin"


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


class Scratch:
    """A folder that goes when its user does."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="weighhouse-bench-"))
        # Started by root, the embedded PostgreSQL runs as another user, who must be able to enter.
        self.folder.chmod(0o711)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Server(Scratch):
    """One hub without workers, its data, and a token that may write."""

    def __init__(self, **environ: str) -> None:
        super().__init__()
        self.data = self.folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self._log = self.folder / "up.log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("WEIGHHOUSE_")}
        self.environ = clean | {"WEIGHHOUSE_DATA": str(self.data)} | environ
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--no-workers"]
        self._start([*command, "--port", str(self.port)], self.environ)
        wait_until(self._is_up, f"The hub (see {self._log})")
        return self

    def __exit__(self, *_reason: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            process.wait(timeout=60)
        super().__exit__()

    def _start(self, command: list[str], environ: Mapping[str, str]) -> int:
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
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
        from hub.config.supervise import WEB  # noqa: PLC0415 - needs the path that measure adds

        port = free_port()
        given = {**self.environ, "WEIGHHOUSE_PORT": str(port), "PYTHONPATH": str(ROOT), **environ}
        pid = self._start([sys.executable, "-m", "gunicorn", *WEB.split()], given)
        wait_until(lambda: answers(port), "The second web server")
        return port, pid

    def nginx(self, config: str, port: int) -> int:
        """Start Debian's nginx with these lines inside its http { }; answer its first process."""
        home = self.folder / f"nginx-{port}"
        home.mkdir()
        conf = home / "nginx.conf"
        conf.write_text(_NGINX.format(user=_user_line(), home=home, http=config))
        command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(conf), "-p", str(home)]
        pid = self._start(command, os.environ)
        wait_until(lambda: _listens(port), f"nginx (see {self._log})")
        return pid

    def all_web(self) -> Processes:
        return Processes(self.web)

    def use_in_process(self) -> None:
        """Let this process call the product's own functions on the server's data."""
        os.environ.update({k: v for k, v in self.environ.items() if k.startswith("WEIGHHOUSE_")})
        os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"
        import django  # noqa: PLC0415 - only now does the environment name the data

        django.setup()

    def client(self) -> "Client":
        return Client(self.url, self.token)


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


@dataclass
class Client:
    """One connection that stays open, with a token."""

    url: str
    token: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=600)
        self._connection.connect()
        if self._connection.sock is not None:
            # Head and body of a small request go as two packets; neither should wait.
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if kind:
            headers["Content-Type"] = kind
        self._connection.request(method, path, body or None, headers)
        response = self._connection.getresponse()
        answer: bytes = response.read()
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {answer[:500]!r}")
        return answer

    def get(self, path: str) -> bytes:
        return self.send("GET", path)

    def post(self, path: str, body: object) -> Any:
        return json.loads(self.send("POST", path, json.dumps(body).encode(), "application/json"))

    def create_repo(self, name: str) -> str:
        self.post("/api/repos/create", {"type": "model", "name": name, "organization": USER})
        return f"{USER}/{name}"

    def commit(self, repo: str, lines: Iterable[tuple[str, object]], summary: str = "Add") -> str:
        """Commit operations as the public library sends them; answer the commit's id."""
        path, body = f"/api/models/{repo}/commit/main", ndjson(summary, lines)
        answer = json.loads(self.send("POST", path, body, "application/x-ndjson"))
        return str(answer["commitOid"])

    def lfs_link(self, repo: str, oid: str, size: int) -> str:
        """Ask where a large file is to be put; answer the signed link."""
        batch = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256"}
        objects = {"objects": [{"oid": oid, "size": size}]}
        answer = self.post(f"/{repo}.git/info/lfs/objects/batch", batch | objects)
        return str(answer["objects"][0]["actions"]["upload"]["href"])

    def add_large_file(self, repo: str, path: str, oid: str, size: int) -> None:
        value = {"path": path, "algo": "sha256", "oid": oid, "size": size}
        self.commit(repo, [("lfsFile", value)])


def ndjson(summary: str, lines: Iterable[tuple[str, object]]) -> bytes:
    head = [("header", {"summary": summary, "description": ""})]
    rows = [json.dumps({"key": key, "value": value}) for key, value in [*head, *lines]]
    return "\n".join(rows).encode()


def put_file(link: str, file: Path) -> None:
    """PUT a file by sendfile(2): the client should cost as little as it can."""
    parts = urlsplit(link)
    size = file.stat().st_size
    head = (
        f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Length: {size}\r\nConnection: close\r\n\r\n"
    )
    with (
        closing(socket.create_connection((parts.hostname or "", parts.port or 80))) as peer,
        file.open("rb") as source,
    ):
        peer.sendall(head.encode())
        peer.sendfile(source)
        status = peer.recv(4096).split(b"\r\n", 1)[0]
    if b" 200 " not in status:
        raise SystemExit(f"PUT: {status!r}")


def write_random(file: Path, size: int) -> None:
    """Bytes that nothing compresses and nobody has seen before."""
    with file.open("wb") as out:
        for _ in range(size // MIB):
            out.write(os.urandom(MIB))


def digest(file: Path) -> str:
    found = sha256()
    with file.open("rb", buffering=0) as source:
        while block := source.read(4 * MIB):
            found.update(block)
    return found.hexdigest()
