"""The real clamd, with a signature of our own: no network is needed for that."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.scanning.clamd import ask_clamd
from hub.scanning.verdicts import Status

INFECTED = b"An honest sample of nothing at all, which our own signature calls a virus.\n" * 3
CLAMD = shutil.which("clamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if CLAMD is None:
        if os.environ.get("WEIGHHOUSE_CI"):
            pytest.fail("There is no clamd: apt-get install clamav-daemon")
        pytest.skip("There is no clamd: apt-get install clamav-daemon")
    folder = tmp_path_factory.mktemp("clamd")
    folder.chmod(0o755)
    home = folder / "db"
    home.mkdir()
    digest = hashlib.sha256(INFECTED).hexdigest()
    (home / "own.hsb").write_text(f"{digest}:{len(INFECTED)}:Own.Sample:73\n")
    address = folder / "clamd.ctl"
    conf = folder / "clamd.conf"
    conf.write_text(
        f"LocalSocket {address}\nDatabaseDirectory {home}\nForeground yes\n"
        "StreamMaxLength 128M\nUser root\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([CLAMD, "--config-file", str(conf)], stdout=log, stderr=log)
    end = time.monotonic() + _PATIENCE_SECONDS
    while not address.exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < end, "clamd does not start"
        time.sleep(0.05)
    yield str(address)
    process.terminate()
    process.wait(timeout=30)


def test_what_clamd_knows_is_unsafe(clamd: str) -> None:
    verdict = ask_clamd(clamd, [INFECTED[:40], INFECTED[40:]])

    assert verdict.status is Status.UNSAFE
    assert "Own.Sample" in verdict.findings[0].message


def test_what_clamd_does_not_know_is_let_be(clamd: str) -> None:
    assert ask_clamd(clamd, [b"hello", bytes(3_000_000)]).status is Status.SAFE


def test_no_answer_is_no_good_one(tmp_path: Path) -> None:
    verdict = ask_clamd(str(tmp_path / "nobody"), [b"hello"])

    assert verdict.status is Status.ERROR
