"""Webhooks in tests: a receiver that remembers, and the wish for one that watches."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hub.models import Webhook
from hub.services import delivering, webhooks
from hub.services.webhooks import Watched, Wish
from teams.models import Namespace
from teams.policies import Principal


@dataclass
class Got:
    """One request that arrived."""

    headers: dict[str, str]
    body: bytes
    path: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Sink:
    """A receiver on loopback; ``answers`` are given in turn, then 200 for ever."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    judge: Callable[[Got], int] | None = None
    """Says with which status a request is answered when ``answers`` are used up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def scopes(self) -> list[str]:
        return [one.json["type"] for one in self.got]


@contextmanager
def listening() -> Iterator[Sink]:
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got({k.lower(): v for k, v in self.headers.items()}, body, self.path)
            sink.got.append(got)
            usual = sink.judge(got) if sink.judge else 200
            status, headers = sink.answers.pop(0) if sink.answers else (usual, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            said = b"" if status == HTTPStatus.NO_CONTENT else b"seen"
            if said:
                self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sink.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()


def watching(
    url: str, owner: Namespace, by: Principal, watched: Sequence[tuple[str, str]], **more: Any
) -> tuple[Webhook, str]:
    wish = Wish(url=url, watched=[Watched(*one) for one in watched], **more)
    return webhooks.register(owner=owner, wish=wish, by=by)


def deliver() -> int:
    """Deliver what is due, and answer how many attempts it took."""
    return delivering.drain(linger=0)
