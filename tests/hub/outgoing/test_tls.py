"""The certificate must be that of the name, though the connection goes to an address."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.outgoing.addresses import Rules, networks
from hub.outgoing.client import Answer, Client
from tests.hub.outgoing.receivers import Receiver, saying

NAME = "hooks.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """Key and certificate of a receiver called hooks.example, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    home = tmp_path / "identity.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    home.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    )
    return home


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
