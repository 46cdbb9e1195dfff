"""Through a proxy: all of it, by CONNECT; what spells a denied address does not get that far."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from hub.outgoing.addresses import Rules, networks
from hub.outgoing.client import Answer, Client
from tests.hub.outgoing.receivers import Behaviour, receiving, saying

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass
class Proxy:
    """Connects whoever asks to one receiver, whatever name they ask for."""

    to: int
    says: bytes = b"HTTP/1.1 200 OK\r\n\r\n"
    port: int = 0
    asked: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.says)
        if not self.says.startswith(b"HTTP/1.1 200"):
            writer.close()
            return
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(_pass(reader, behind), _pass(behind_reader, writer))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
    except OSError:
        pass
    writer.close()


@asynccontextmanager
async def proxying(proxy: Proxy) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()


def ask(
    url: str, *, rules: Rules | None = None, behave: Behaviour | None = None, says: bytes = b""
) -> tuple[Answer, list[bytes], list[bytes]]:
    """Post to ``url`` through a proxy; answer what came, what the proxy and the receiver heard."""

    async def go() -> tuple[Answer, list[bytes], list[bytes]]:
        async with receiving(behave or saying(OK)) as receiver:
            proxy = Proxy(receiver.port)
            async with proxying(replace(proxy, says=says) if says else proxy) as proxy:
                client = Client(rules or Rules(require_https=False), deadline=5)
                client = replace(client, proxy=("127.0.0.1", proxy.port))
                return await client.post(url, {}, b"{}"), proxy.asked, receiver.requests

    return asyncio.run(go())


def test_a_request_goes_to_the_proxy_which_is_told_the_name() -> None:
    answer, asked, heard = ask("http://ci.example:8080/hook")

    assert (answer.status, answer.body, answer.error) == (200, b"hi", "")
    assert asked[0].startswith(b"CONNECT ci.example:8080 HTTP/1.1\r\n")
    assert heard[0].startswith(b"POST /hook HTTP/1.1\r\n")
    assert answer.is_inside


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "169.254.169.254"]
)
def test_what_spells_an_inner_address_is_not_even_asked_for(host: str) -> None:
    answer, asked, _ = ask(f"http://{host}:8080/")

    assert answer.error.startswith("blocked: ")
    assert asked == []


def test_ports_and_https_hold_for_names_too() -> None:
    assert "Port 22" in ask("https://ci.example:22/")[0].error
    assert "https" in ask("http://ci.example/", rules=Rules())[0].error


def test_an_address_that_is_allowed_may_be_asked_for() -> None:
    rules = Rules(allow=networks(["10.1.0.0/16"]))

    assert ask("http://10.1.0.7:8080/", rules=rules)[0].status == 200


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 407 Who\r\n\r\n"]
)
def test_a_proxy_that_refuses_is_told_in_the_log(says: bytes) -> None:
    answer, _, heard = ask("http://ci.example/", says=says)

    assert answer.status is None
    assert answer.error.startswith("blocked: The proxy says")
    assert heard == []


def test_a_document_is_fetched_with_get() -> None:
    async def go() -> tuple[Answer, bytes]:
        async with receiving(saying(OK)) as receiver:
            rules = Rules(allow=networks(["127.0.0.0/8"]), ports=frozenset({receiver.port}))
            answer = await Client(rules).get(receiver.url, {"Accept": "application/json"})
            return answer, receiver.requests[0]

    answer, head = asyncio.run(go())

    assert answer.body == b"hi"
    assert head.startswith(b"GET /hook HTTP/1.1\r\n")
    assert b"content-length" not in head.lower()
