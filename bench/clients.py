"""Clients that fill and read a hub: plain requests that cost little, and the public library."""

import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from measure import MIB

USER = "admin"
"""The account that the first start makes."""
BUFFER = 4 * MIB
IDLE_SECONDS = 30.0
"""Servers end connections over which nothing comes: after so long a new one is made."""


@dataclass
class Client:
    """One connection that stays open while it is used, with a token."""

    url: str
    token: str

    def __post_init__(self) -> None:
        self._connect()

    def _connect(self) -> None:
        parts = urlsplit(self.url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=600)
        self._connection.connect()
        self._used = time.monotonic()
        if self._connection.sock is not None:
            # Head and body of a small request go as two packets; neither should wait.
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
            self._connect()
        self._used = time.monotonic()
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
    send_file("PUT", link, file)


def send_file(method: str, url: str, file: Path, token: str = "") -> None:
    """Send a file by sendfile(2): the client should cost as little as it can."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    given = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n{given}"
        f"Content-Length: {file.stat().st_size}\r\nConnection: close\r\n\r\n"
    )
    with (
        closing(socket.create_connection((parts.hostname or "", parts.port or 80))) as peer,
        file.open("rb") as source,
    ):
        peer.sendall(head.encode())
        peer.sendfile(source)
        status = peer.recv(4096).split(b"\r\n", 1)[0]
    if b" 200 " not in status:
        raise SystemExit(f"{method}: {status!r}")


def get_file(port: int, path: str) -> None:
    """GET a file and forget it: one large buffer, filled again and again."""
    buffer = memoryview(bytearray(BUFFER))
    with closing(socket.create_connection(("127.0.0.1", port))) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += peer.recv(65_536)
        head, _, rest = got.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(head.decode())
        size = next(v for k, v in _fields(head) if k == "content-length")
        left = int(size) - len(rest)
        while left > 0:
            count = peer.recv_into(buffer)
            if not count:
                raise SystemExit(f"{path}: {left:,} bytes are missing")
            left -= count


def _fields(head: bytes) -> Iterable[tuple[str, str]]:
    for line in head.decode().split("\r\n")[1:]:
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()


def write_random(file: Path, size: int) -> None:
    """Bytes that nothing compresses and nobody has seen before."""
    with file.open("wb") as out:
        for _ in range(size // MIB):
            out.write(os.urandom(MIB))


def write_weights(file: Path, size: int) -> None:
    """Numbers as a layer of a model holds them: small, normal, float32 with full precision."""
    (seed,) = struct.unpack("<Q", os.urandom(8))
    rng = np.random.default_rng(seed)
    with file.open("wb") as out:
        for _ in range(size // (4 * MIB)):
            (rng.standard_normal(MIB, dtype=np.float32) * np.float32(0.02)).tofile(out)


def digest(file: Path) -> str:
    found = sha256()
    with file.open("rb", buffering=0) as source:
        while block := source.read(4 * MIB):
            found.update(block)
    return found.hexdigest()


_UPLOAD = """
import sys
from huggingface_hub import HfApi
repo, file = sys.argv[1:]
HfApi().upload_file(path_or_fileobj=file, path_in_repo="weights.bin", repo_id=repo)
"""


def upload(client: Client, repo: str, file: Path, *, by_xet: bool) -> None:
    """Upload and commit a file by the public library, in a process of its own."""
    environ = {
        **os.environ,
        "HF_ENDPOINT": client.url,
        "HF_TOKEN": client.token,
        "HF_HOME": str(file.parent / "home"),
        "HF_HUB_DISABLE_XET": "0" if by_xet else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    command = [sys.executable, "-c", _UPLOAD, repo, str(file)]
    subprocess.run(command, env=environ, check=True)


def add_lfs_file(client: Client, repo: str, file: Path) -> str:
    """Upload and commit a file by plain LFS; answer its SHA-256."""
    oid, size = digest(file), file.stat().st_size
    put_file(client.lfs_link(repo, oid, size), file)
    client.add_large_file(repo, file.name, oid, size)
    return oid
