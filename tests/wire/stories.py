"""A story is what one client does in one scenario; it is played once and asked often."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.wire.clients import Client, Session, run
from tests.wire.record import Record

Facts = dict[str, Any]


class Stories:
    """Plays scenarios against one hub, and remembers what they told."""

    def __init__(self, hub: LiveServer, record: Record, folder: Path, label: str = "") -> None:
        self._hub, self._record, self._folder, self._label = hub, record, folder, label
        self._told: dict[str, Facts | str] = {}

    def tell(
        self, client: Client, scenario: str, *, who: str = "ada", xet: bool = True, **given: object
    ) -> Facts:
        """Answer the facts of ``scenario``; each call with the same arguments is one story.

        A scenario that breaks fails all tests that ask for it, but is not played again.
        """
        label = client.slug + ("" if xet else "-no-xet") + self._label
        key = repr((label, scenario, who, sorted(given.items())))
        if key not in self._told:
            self._told[key] = self._play(client, scenario, who, label, given | {"xet": xet})
        told = self._told[key]
        if isinstance(told, str):
            pytest.fail(told, pytrace=False)
        return told

    def command(self, client: Client, *command: str, who: str = "ada", xet: bool = True) -> str:
        """Run a program of the client, such as ``hf``, and answer what it prints."""
        with self._record.by(client.version):
            done = run(
                client, self._session(who, xet=xet), [client.program(command[0]), *command[1:]]
            )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def _play(
        self, client: Client, scenario: str, who: str, label: str, given: Facts
    ) -> Facts | str:
        session = self._session(who, xet=bool(given["xet"]))
        told = {**given, "me": who, "label": label, "folder": str(session.home / "work")}
        module = f"tests.wire.scenarios.{scenario}"
        command = [str(client.python), "-m", module, json.dumps(told)]
        with self._record.by(client.version):
            done = run(client, session, command)
        if done.returncode:
            return f"{scenario} with {client.name}:\n{done.stdout[-2000:]}{done.stderr[-6000:]}"
        facts: Facts = json.loads(done.stdout.splitlines()[-1])
        return facts | {"requests": self._record.note(client.version), "warned": done.stderr}

    def _session(self, who: str, *, xet: bool) -> Session:
        home = self._folder / f"home-{len(list(self._folder.iterdir()))}"
        (home / "work").mkdir(parents=True)
        more = {} if xet else {"HF_HUB_DISABLE_XET": "1"}
        return Session(self._hub.url, self._hub.token(who) if who else "", home, more)


def assert_refused(fact: Facts, kind: str, status: int, says: str = "") -> None:
    """The client raised ``kind`` or a subclass for ``status``, and its text tells what we said."""
    assert kind in fact["is"], fact
    assert fact["status"] == status, fact
    assert says.lower() in fact["says"].lower(), fact
