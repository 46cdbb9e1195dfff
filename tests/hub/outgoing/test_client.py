"""What receivers do to us: each bad one is cut off, and no denied address is ever connected to."""

import asyncio
import tracemalloc
import zlib
from collections.abc import Sequence

import pytest

from hub.outgoing.addresses import Rules, networks
from hub.outgoing.client import MAX_READ_BYTES, Answer, Client
from tests.hub.outgoing.receivers import (
    Behaviour,
    Receiver,
    dripping,
    flooding,
    inside,
    receiving,
    saying,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def ask(behave: Behaviour, *, deadline: float = 5.0) -> tuple[Answer, Receiver]:
    async def go() -> tuple[Answer, Receiver]:
        async with receiving(behave) as receiver:
            client = inside(receiver.port, deadline=deadline)
            return await client.post(receiver.url, {"X-One": "1"}, b"{}"), receiver

    return asyncio.run(go())


def test_a_request_arrives_as_it_was_meant() -> None:
    answer, receiver = ask(saying(OK))

    assert (answer.status, answer.body, answer.error) == (200, b"hi", "")
    head = receiver.requests[0].lower()
    assert head.startswith(b"post /hook http/1.1\r\n")
    assert b"host: 127.0.0.1:%d\r\n" % receiver.port in head
    for line in (b"x-one: 1", b"accept-encoding: identity", b"content-length: 2"):
        assert line in head


def test_a_redirect_is_an_answer_and_nobody_follows_it() -> None:
    async def go() -> tuple[Answer, int]:
        async with receiving(saying(OK)) as secret:
            told = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
            async with receiving(saying(told % secret.url.encode())) as receiver:
                answer = await inside(receiver.port).post(receiver.url, {}, b"")
            return answer, secret.calls

    answer, calls = asyncio.run(go())

    assert answer.status == 302
    assert calls == 0


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async def go() -> tuple[Answer, bytes]:
        async with receiving(saying(OK)) as receiver:
            rules = Rules(allow=networks(["127.0.0.0/8"]), ports=frozenset({receiver.port}))
            url = f"http://rebinding.example:{receiver.port}/"
            answer = await Client(rules, resolve=rebinding).post(url, {}, b"")
            return answer, receiver.requests[0]

    answer, head = asyncio.run(go())

    assert answer.status == 200
    assert b"host: rebinding.example:" in head.lower()
    assert asked == ["rebinding.example"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_nothing_connects_to_a_denied_address(address: str) -> None:
    async def one_public_one_not(_host: str, _port: int) -> Sequence[str]:
        return ["8.8.8.8", address]

    async def go() -> tuple[Answer, int]:
        async with receiving(saying(OK)) as receiver:
            rules = Rules(ports=frozenset({receiver.port}), require_https=False)
            url = f"http://two-faced.example:{receiver.port}/"
            answer = await Client(rules, resolve=one_public_one_not).post(url, {}, b"")
            return answer, receiver.calls

    answer, calls = asyncio.run(go())

    assert answer.error.startswith("blocked: ")
    assert calls == 0


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"H"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_head_that_drips_is_cut_off(head: bytes, drop: bytes) -> None:
    answer, _ = ask(dripping(head, drop), deadline=0.5)

    assert answer.status is None
    assert answer.error


def test_a_body_that_drips_is_cut_off_and_its_status_stands() -> None:
    answer, _ = ask(
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"), deadline=0.5
    )

    assert (answer.status, answer.is_late) == (200, False)
    assert 0 < len(answer.body) < 100
    assert "cut off after 0.5 s" in answer.error


def test_silence_is_cut_off() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            pass

    answer, _ = ask(silent, deadline=0.3)

    assert (answer.status, answer.is_late) == (None, True)


def test_a_body_without_end_is_read_no_further_than_64_kib() -> None:
    tracemalloc.start()
    answer, _ = ask(flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status, len(answer.body), answer.error) == (200, MAX_READ_BYTES, "")
    assert peak < 8 * 2**20


def test_a_head_without_end_is_refused() -> None:
    answer, _ = ask(flooding(b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n" * 1000))

    assert answer.status is None
    assert "not HTTP" in answer.error


def test_a_compressed_body_stays_as_it_is() -> None:
    bomb = zlib.compress(bytes(20 * 2**20))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"

    answer, _ = ask(saying(head % len(bomb) + bomb))

    assert answer.body == bomb[:MAX_READ_BYTES]


@pytest.mark.parametrize("text", [b"", b"hello\r\n\r\n", b"HTTP/9 what\r\n\r\n", b"\x16\x03\x01"])
def test_what_is_no_answer_is_told_as_an_error(text: bytes) -> None:
    answer, _ = ask(saying(text), deadline=1.0)

    assert answer.status is None
    assert answer.error


def test_a_closed_port_is_told_as_an_error() -> None:
    async def go() -> Answer:
        async with receiving(saying(OK)) as receiver:
            pass
        return await inside(receiver.port).post(receiver.url, {}, b"")

    assert "Connect" in asyncio.run(go()).error


def test_a_header_cannot_smuggle_another_one() -> None:
    async def go() -> Answer:
        async with receiving(saying(OK)) as receiver:
            return await inside(receiver.port).post(receiver.url, {"X": "a\r\nY: b"}, b"")

    answer = asyncio.run(go())

    assert answer.status is None
    assert answer.error
