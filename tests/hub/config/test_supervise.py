import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

pytestmark = pytest.mark.faults

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120.0


class Hub:
    """`manage.py up` in a process of its own, on a data folder that outlives it."""

    def __init__(self, data: Path) -> None:
        self.data, self.port, self.log = data, _free_port(), data.with_suffix(".log")

    def start(self, *options: str) -> None:
        command = [sys.executable, "manage.py", "up", "--port", str(self.port), *options]
        environ = {k: v for k, v in os.environ.items() if not k.startswith("WEIGHHOUSE_")}
        environ["WEIGHHOUSE_DATA"] = str(self.data)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT
            )

    def is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def family(self) -> list[psutil.Process]:
        family: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return family

    def has(self, word: str) -> bool:
        return any(word in " ".join(each.cmdline()) for each in self.family())

    def child(self, word: str) -> psutil.Process:
        children = psutil.Process(self.process.pid).children()
        return next(each for each in children if word in " ".join(each.cmdline()))

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=15)

    def told(self) -> str:
        return self.log.read_text()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    # PostgreSQL of root is another user, and pytest's folders are closed to others.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    hub = Hub(tmp_path / "data")
    hub.start()
    yield hub
    family = hub.family() if hub.process.poll() is None else []
    for process in (hub.process, *family):
        process.kill()
    hub.process.wait()


def test_a_killed_child_comes_back_and_an_end_leaves_nothing(hub: Hub) -> None:
    _wait(hub.is_ready, START_SECONDS)
    _wait(lambda: hub.has("beat"), 20)
    web = hub.child("gunicorn")

    web.kill()
    _wait(lambda: '"child": "web"' in hub.told() and not web.is_running(), 10)
    _wait(hub.is_ready, 30)
    family = hub.family()
    code = hub.end()

    assert code == 0
    assert not [each for each in family if each.is_running()]
    assert _events(hub, "child_died")[0]["restart_in_s"] == 1.0


def test_only_the_first_start_tells_how_to_begin(hub: Hub) -> None:
    _wait(lambda: "HF_TOKEN=wh_" in hub.told(), START_SECONDS)
    hub.end()

    hub.start("--no-workers")
    _wait(hub.is_ready, START_SECONDS)

    assert "HF_TOKEN" not in hub.told()


def test_a_killed_supervisor_leaves_no_orphans_and_the_next_start_works(hub: Hub) -> None:
    _wait(hub.is_ready, START_SECONDS)
    family = hub.family()

    hub.end(signal.SIGKILL)
    _wait(lambda: not [each for each in family if each.is_running()], 15)
    hub.start("--no-workers")

    _wait(hub.is_ready, START_SECONDS)


def test_a_second_hub_on_the_same_data_is_refused(hub: Hub) -> None:
    _wait((hub.data / "lock").exists, 20)
    second = Hub(hub.data)
    second.log = hub.data.with_suffix(".second")

    second.start()

    assert second.process.wait(timeout=20) == 1
    assert "Another hub already runs on the data in" in second.told()


def test_a_taken_port_is_refused_clearly(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "data")

    with socket.create_server(("127.0.0.1", hub.port)):
        hub.start()
        code = hub.process.wait(timeout=20)

    assert code == 1
    assert f"Port {hub.port} on 127.0.0.1 cannot be used" in hub.told()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s")


def _events(hub: Hub, msg: str) -> list[dict[str, Any]]:
    lines = [line for line in hub.told().splitlines() if line.startswith("{")]
    return [event for event in map(json.loads, lines) if event["msg"] == msg]
