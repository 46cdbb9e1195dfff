import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from django.http import UnreadablePostError
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from hub.http.straight import StraightBody

CONTENT = bytes(range(256)) * 12_000
NEXT = b"GET /next HTTP/1.1\r\nHost: hub\r\n\r\n"


class Wire:
    """One end of a connection, and gunicorn's parser at the other."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.parser = RequestParser(Config(), server, ("127.0.0.1", 1))
        self.senders: list[threading.Thread] = []

    def put(self, *parts: bytes, length: int) -> StraightBody:
        head = f"PUT / HTTP/1.1\r\nHost: hub\r\nContent-Length: {length}\r\n\r\n".encode()
        sender = threading.Thread(target=self._send, args=[(head + parts[0], *parts[1:])])
        sender.start()
        self.senders.append(sender)
        body = StraightBody.of(next(self.parser).body)
        assert body is not None
        return body

    def _send(self, parts: tuple[bytes, ...]) -> None:
        # A test that is done with the body hangs up in the middle of it.
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                self.client.sendall(part)
            self.client.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.server.close()
        for sender in self.senders:
            sender.join()
        self.client.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    client, server = socket.socketpair()
    with closing(Wire(client, server)) as both:
        yield both


def read_all(body: StraightBody, size: int) -> list[bytes]:
    return list(iter(lambda: body.read(size), b""))


@pytest.mark.parametrize("size", [1000, 64 * 1024, 1 << 20, 1 << 30])
def test_a_body_comes_whole_and_the_next_request_is_left_alone(wire: Wire, size: int) -> None:
    pieces = read_all(wire.put(CONTENT + NEXT, length=len(CONTENT)), size)

    request: Request = next(wire.parser)

    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= size
    assert request.path == "/next"


def test_what_nobody_read_is_skipped_before_the_next_request(wire: Wire) -> None:
    wire.put(CONTENT + NEXT, length=len(CONTENT)).read(5000)

    assert next(wire.parser).path == "/next"


def test_a_body_in_very_small_pieces_is_put_together(wire: Wire) -> None:
    body = wire.put(*[b"x" * 10] * 20_000, length=200_000)

    pieces = read_all(body, 1 << 20)

    assert [len(piece) >= 64 * 1024 for piece in pieces[:-1]] == [True] * (len(pieces) - 1)
    assert sum(map(len, pieces)) == 200_000


def test_a_body_that_is_cut_ends_early(wire: Wire) -> None:
    assert b"".join(read_all(wire.put(CONTENT, length=10**9), 1 << 20)) == CONTENT


def test_a_connection_that_breaks_is_told_and_not_used_again(wire: Wire) -> None:
    body = wire.put(CONTENT[:1000], length=5000)
    wire.server.close()

    with pytest.raises(UnreadablePostError):
        read_all(body, 1 << 20)

    assert not wire.parser.finish_body()


def test_a_chunked_body_is_read_as_before(wire: Wire) -> None:
    wire.client.sendall(
        b"PUT / HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )

    assert StraightBody.of(next(wire.parser).body) is None
