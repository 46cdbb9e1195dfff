"""The direct line: a worker's own small HTTP server, for web alone.

It listens on loopback or on a private network, and asks for the token that both sides make of the
signing key.
"""

import base64
import hmac
import json
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog

from inference import errors
from inference.protocols.line import Asking, read_asking
from inference.runtimes.ports import Answer, ModelRef, Picture, refs_of
from inference.serving.batching import Batcher
from inference.serving.fetching import Fetches
from inference.serving.tickets import Ticket
from teams.errors import Refusal

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 2**20
_IDLE_SECONDS = 10
_MOST_CONNECTIONS = 512
_LENGTH = re.compile(r"\d{1,9}", re.ASCII)

ANYBODY = "-"
"""Stands for a token where none is needed."""
NEEDS_TOKEN = "needs_token"  # noqa: S105 - a word of the protocol
"""The worker has no files of the model yet: ask again, with a token that may read them."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a line speaks for."""

    batcher: Batcher
    has: Callable[[ModelRef], bool]
    """Whether a model's files are here."""
    fetches: Fetches
    """Brings them here."""
    folder: Callable[[ModelRef], Path]
    """Where they lie."""
    warm: Callable[[], list[ModelRef]]
    """The models that are loaded."""

    def fetch(self, ref: ModelRef, token: str) -> Path:
        """Bring a model's files here, however long it takes, and answer where they lie.

        Raises:
            Refusal: as the fetch.
        """
        self.fetches.wait(ref, token, threading.TIMEOUT_MAX)
        return self.folder(ref)


class Line:
    """Serves until it is stopped."""

    def __init__(self, rooms: Rooms, *, host: str, port: int, token: str) -> None:
        handler = type("Handler", (_Handler,), {"rooms": rooms, "token": token})
        self._server = _Server((host, port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """A thread for each connection, and not more of them than a stranger may open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.error("line_broke", exc_info=sys.exc_info()[1])


class _Handler(BaseHTTPRequestHandler):
    """One connection of web."""

    rooms: Rooms
    token: str
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Head and body of an answer are two writes: without this the second would wait for a receipt.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        given = self.headers.get("Authorization", "").encode("latin-1", "replace")
        digits = self.headers.get("Content-Length", "")
        length = int(digits) if _LENGTH.fullmatch(digits) else MAX_BODY + 1
        is_web = hmac.compare_digest(given, f"Bearer {self.token}".encode())
        if not is_web or length > MAX_BODY:
            self.close_connection = True
            self._say(HTTPStatus.FORBIDDEN, {"error": "This is no door for you."})
            return
        try:
            answer = answer_to(read_asking(self.rfile.read(length)), self.rooms)
        except Refusal as refusal:
            told = {"refusal": type(refusal).__name__, "error": refusal.message}
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, told)
        else:
            self._say(HTTPStatus.OK, answer)

    def _say(self, status: HTTPStatus, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base names it
        """Web logs each request already."""


def answer_to(asking: Asking, rooms: Rooms) -> dict[str, Any]:
    """Run one call, and answer it as JSON.

    Raises:
        Refusal: as the runtime, or because it takes too long.
    """
    ref = ModelRef(asking.repo, asking.commit, asking.family)
    deadline = time.monotonic() + asking.seconds
    missing = [one for one in refs_of(ref, asking.call) if not rooms.has(one)]
    if missing and not asking.token:
        return {NEEDS_TOKEN: True}
    for one in missing:
        token = "" if asking.token == ANYBODY else asking.token
        rooms.fetches.wait(one, token, deadline - time.monotonic())
    ticket = Ticket(ref, asking.call, deadline=deadline)
    return {"answer": _written(rooms.batcher.submit(ticket).result())}


def _written(answer: Answer) -> object:
    if isinstance(answer, Picture):
        return {"png": base64.b64encode(answer.png).decode(), "recipe": answer.recipe}
    return answer


def refusal_named(name: str, message: str) -> Refusal:
    """The refusal that a worker told of by its name."""
    kind = getattr(errors, name, errors.WorkerFailed)
    if not (isinstance(kind, type) and issubclass(kind, Refusal)):
        kind = errors.WorkerFailed
    refusal: Refusal = kind(message)
    return refusal
