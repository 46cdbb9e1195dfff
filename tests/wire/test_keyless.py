"""A job with nothing but its identity token: the client exchanges it by itself, and publishes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.services.issuers import Issuer, issuing
from tests.live import LiveServer
from tests.wire import clients
from tests.wire.clients import OURS, Session, run
from tests.wire.plain import Plain
from tests.wire.record import Proven, Record, recorded

pytestmark = pytest.mark.wire
REPO = "ada/by-ci"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def hub(issuer: Issuer) -> Iterator[LiveServer]:
    """A hub of its own, which may ask our issuer; Ada's repo trusts the jobs of acme/ci."""
    environ = {
        "WEIGHHOUSE_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
        "WEIGHHOUSE_WEBHOOK_PORTS": str(issuer.port),
    }
    with LiveServer(environ=environ) as live:
        live.create_user("ada")
        ada = Plain(live.url, {"ada": live.token("ada")})
        ada("POST", "/api/repos/create", {"name": "by-ci"})
        trusted = {"issuer": issuer.url, "claims": {"repository": "acme/ci"}}
        path = f"/api/v1/repos/models/{REPO}/trusted-publishers"
        assert ada("POST", path, trusted).status == 201
        yield live


@pytest.fixture(scope="module")
def record(hub: LiveServer, proven: Proven) -> Iterator[Record]:
    with recorded(hub.log, proven) as kept:
        yield kept


def job(hub: LiveServer, folder: Path, id_token: str) -> Session:
    more = {"HF_OIDC_RESOURCE": REPO, "HF_OIDC_ID_TOKEN": id_token}
    return Session(hub.url, "", folder / "home", more)


def test_hf_uploads_by_the_identity_token_of_its_job(
    hub: LiveServer, issuer: Issuer, record: Record, tmp_path: Path
) -> None:
    client = clients.client(OURS)
    (tmp_path / "weights.txt").write_text("1 2 3")
    command = [client.program("hf"), "upload", REPO, str(tmp_path / "weights.txt"), "weights.txt"]

    with record.by(client.version):
        done = run(client, job(hub, tmp_path, issuer.token(hub.url)), command)

    assert done.returncode == 0, done.stderr + done.stdout
    ada = Plain(hub.url, {"ada": hub.token("ada")})
    assert ada("GET", f"/{REPO}/resolve/main/weights.txt").body == b"1 2 3"


def test_hf_says_why_it_is_refused(hub: LiveServer, issuer: Issuer, tmp_path: Path) -> None:
    client = clients.client(OURS)
    stranger = issuer.token(hub.url, repository="mallory/ci")

    done = run(client, job(hub, tmp_path, stranger), [client.program("hf"), "auth", "whoami"])

    assert done.returncode != 0
    assert "No publisher that this repo trusts" in done.stderr + done.stdout
