"""The direct line answers web alone, and bears whatever else is sent to it."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.protocols.families import Family
from inference.protocols.line import Asking, write_asking
from inference.protocols.tasks import Task, call_of
from inference.runtimes.registry import load
from inference.serving.batching import Batcher
from inference.serving.cache import ModelCache
from inference.serving.fetching import Fetches
from inference.serving.line import Line, Rooms

TOKEN = "t" * 64


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    batcher = Batcher(ModelCache(lambda ref: load(Path(), ref), budget=1 << 30))
    batcher.start()
    rooms = Rooms(
        batcher, lambda _ref: True, Fetches(lambda _ref, _token: None), lambda _ref: Path(), list
    )
    opened = Line(rooms, host="127.0.0.1", port=0, token=TOKEN)
    opened.start()
    yield opened
    opened.stop()
    batcher.stop()


def sent(line: Line, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send a request as it stands here; answer the status, and the body."""
    with socket.create_connection(("127.0.0.1", line.port), timeout=30) as wire:
        wire.sendall(
            f"POST /run HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode("latin-1")
        )
        wire.sendall(body)
        told = b"".join(iter(lambda: wire.recv(65536), b""))
    top, _, rest = told.partition(b"\r\n\r\n")
    return int(top.split()[1]), rest


def asked(line: Line, token: str = TOKEN) -> tuple[int, bytes]:
    call = call_of(Task.TEXT_LABELS, {"text": "fine"})
    body = write_asking(Asking(repo="a/b", commit="0" * 40, family=Family.ECHO, call=call))
    head = f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n"
    return sent(line, head, body)


def test_web_is_answered(line: Line) -> None:
    status, body = asked(line)

    assert status == 200
    assert json.loads(body)["answer"][0]["label"] == "fine"


@pytest.mark.parametrize("token", ["", "x" * 64, "t\xe9t"])
def test_a_stranger_is_not(line: Line, token: str) -> None:
    status, _body = asked(line, token)

    assert status == 403


@pytest.mark.parametrize("length", ["-1", "x", "", "9" * 30, "67108865"])
def test_a_body_of_no_length_or_too_much_is_not_read(line: Line, length: str) -> None:
    status, _body = sent(line, f"Authorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\n")

    assert status == 403
