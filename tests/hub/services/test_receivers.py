"""What others receive webhooks with accepts ours, unmodified, and refuses what is not ours."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pytest
from pytest_django import Settings

from hub.models import Attempt
from hub.services import webhooks
from hub.services.fan_out import EVENTS
from hub.services.webhooks import Wish
from tests.cast import Cast, signed_in
from tests.hub.outgoing.identities import made_for
from tests.hub.services.happenings import SCOPES, everything
from tests.hub.services.hooks import deliver, watching
from tests.live import free_port
from tests.wire.clients import receivers

pytestmark = pytest.mark.django_db
SHARED = "hunter2"
SERVER = Path(__file__).with_name("webhook_server.py")


@dataclass
class Server:
    """A running receiver, and what it tells."""

    process: "subprocess.Popen[str]"
    problems: TextIO

    def wait(self) -> None:
        """Until it listens."""
        assert self.process.stdout is not None
        if not any(line == "ready\n" for line in self.process.stdout):
            self.problems.seek(0)
            pytest.fail(self.problems.read()[-3000:])

    def told(self) -> list[dict[str, Any]]:
        """Let it end, and answer what it said of each delivery."""
        said, _ = self.process.communicate(timeout=60)
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


@pytest.fixture
def identity(tmp_path: Path, settings: Settings) -> Path:
    """Of a receiver on loopback, whom we trust for the time of a test."""
    made = made_for("127.0.0.1", tmp_path)
    settings.WEBHOOK_CA_BUNDLE = str(made)
    settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
    return made


@contextmanager
def serving(port: int, identity: Path, secrets: Sequence[str]) -> Iterator[Server]:
    python = receivers()
    environ = {
        "PORT": str(port),
        "IDENTITY": str(identity),
        "SHARED": SHARED,
        "SECRETS": " ".join(secrets),
        # It is to speak to nobody but us.
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "HOME": str(identity.parent),
        "PATH": f"{python.parent}:{os.defpath}",
    }
    with (identity.parent / "problems").open("w+") as problems:
        process = subprocess.Popen(
            [python, SERVER],
            env=environ,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=problems,
        )
        try:
            yield Server(process, problems)
        finally:
            process.kill()
            process.wait()


def test_the_library_s_own_server_takes_every_event_during_a_rotation(
    cast: Cast, identity: Path, settings: Settings
) -> None:
    port, ada = free_port(), signed_in(cast.ada)
    settings.WEBHOOK_PORTS = frozenset({port})
    webhook, secret = watching(
        f"https://127.0.0.1:{port}/webhooks/hook",
        cast.acme.namespace,
        ada,
        [("org", "acme")],
        events=sorted(EVENTS - {"job"}),
        shared_token=SHARED,
    )
    secrets = [secret, webhooks.add_secret(webhook=webhook, by=ada)]
    with serving(port, identity, secrets) as server:
        server.wait()
        everything(cast)
        webhooks.ping(webhook=webhook, by=ada)
        deliver()
        webhooks.change(webhook=webhook, wish=Wish(shared_token="guess"), by=ada)
        webhooks.ping(webhook=webhook, by=ada)
        deliver()
        told = server.told()

    statuses = list(Attempt.objects.order_by("pk").values_list("status", flat=True))
    assert {one["type"] for one in told} == SCOPES | {"webhook.ping.update"}
    assert all(one["verified"] == [True, True] and not one["forged"] for one in told)
    assert any(one["head"] for one in told)
    assert statuses == [200] * len(told) + [403]
