"""A byte flipped on the disk: what a client sees of it, and how it heals what it knows."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.wire import clients
from tests.wire.clients import Session
from tests.wire.conftest import populated
from tests.wire.plain import Plain
from tests.wire.scenarios.stage import noise

pytestmark = pytest.mark.wire

REPO = "ada/worn"
CONTENT = noise("worn", 3_000_000)


@pytest.fixture(scope="module")
def own() -> Iterator[LiveServer]:
    """A hub of our own, since we spoil its store."""
    with LiveServer() as server:
        yield populated(server)


def hf(session: Session, *arguments: str) -> str:
    client = clients.client(clients.OURS)
    done = clients.run(client, session, [client.program("hf"), *arguments])
    assert done.returncode == 0, done.stderr
    return done.stdout


def upload(session: Session, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    hf(session, "upload", REPO, str(path), path.name)


def spoil(own: LiveServer) -> None:
    """Flip a byte of every xorb, behind the headers of its first chunks."""
    xorbs = (own.data / "store" / "xet" / "xorbs").rglob("*")
    for path in [one for one in xorbs if one.is_file() and not one.suffix]:
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)


def test_a_client_that_remembers_a_damaged_xorb_sends_it_again(
    own: LiveServer, tmp_path: Path
) -> None:
    plain = Plain(own.url, {"": "", "ada": own.token("ada")})
    plain.create(REPO)
    session = Session(own.url, own.token("ada"), tmp_path / "home")
    upload(session, tmp_path / "first.bin", CONTENT)
    spoil(own)
    told = own._run("manage.py", "scrub", "--all", check=False)
    refused = plain("GET", f"/{REPO}/resolve/main/first.bin")
    found = own.fsck()

    upload(session, tmp_path / "second.bin", CONTENT + b"and more")
    upload(session, tmp_path / "third.bin", CONTENT)
    first = plain("GET", f"/{REPO}/resolve/main/first.bin")
    second = plain("GET", f"/{REPO}/resolve/main/second.bin")

    assert told.returncode == 1
    assert refused.status == 500
    assert "damaged" in refused.json["error"]
    assert [line.partition(":")[0] for line in found] == ["damage"]
    assert sha256(second.body).digest() == sha256(CONTENT + b"and more").digest()
    assert sha256(first.body).digest() == sha256(CONTENT).digest()
