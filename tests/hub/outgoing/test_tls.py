"""The certificate must be that of the name, though the connection goes to an address."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.outgoing.addresses import Rules, networks
from hub.outgoing.client import Answer, Client
from tests.hub.outgoing.identities import made_for
from tests.hub.outgoing.receivers import Receiver, saying

NAME = "hooks.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return made_for(NAME, tmp_path)


def ask(identity: Path, host: str, trusted: ssl.SSLContext) -> Answer:
    async def loopback(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def go() -> Answer:
        receiver, context = Receiver(saying(OK)), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity)
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        rules = Rules(allow=networks(["127.0.0.0/8"]), ports=frozenset({port}))
        client = Client(rules, tls=trusted, deadline=5, resolve=loopback)
        try:
            return await client.post(f"https://{host}:{port}/", {}, b"{}")
        finally:
            server.close()

    return asyncio.run(go())


def test_a_certificate_counts_for_its_name_only(identity: Path) -> None:
    trusting = ssl.create_default_context()
    trusting.load_verify_locations(identity)

    assert ask(identity, NAME, trusting).status == 200
    for host, context in (("other.example", trusting), (NAME, ssl.create_default_context())):
        answer = ask(identity, host, context)
        assert answer.status is None
        assert "CERTIFICATE_VERIFY_FAILED" in answer.error
