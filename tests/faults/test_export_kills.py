"""Whoever makes Parquet may be killed at any moment: the export ends as if nobody had been."""

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress

import psutil  # type: ignore[import-untyped]
import pytest

from tests.live import ROOT, LiveServer
from tests.wire.plain import Plain, file

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULT_EXPORT_KILLS", "5"))
EXPORT = "refs%2Fconvert%2Fparquet"


def sheets() -> dict[str, bytes]:
    """A few files with something to unify: one has floats where the others have integers."""
    found = {}
    for number in range(6):
        cell = b"%d.5" if number == 4 else b"%d"
        rows = b"".join(b"%d,text %d,%s\n" % (n, n % 9, cell % n) for n in range(4000))
        found[f"data/part-{number}.csv"] = b"id,text,value\n" + rows
    return found


def commit(hub: Plain, repo: str) -> None:
    lines: list[tuple[str, object]] = [("header", {"summary": "Add sheets"})]
    lines += [file(path, data.decode()) for path, data in sheets().items()]
    body = b"".join(json.dumps({"key": k, "value": v}).encode() + b"\n" for k, v in lines)
    assert hub("POST", f"/api/datasets/{repo}/commit/main", body).status == 200


def worker(live: LiveServer) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.export_worker"],
        cwd=ROOT,
        env=live.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)
    process.kill()
    process.wait()


def exported(hub: Plain, repo: str) -> dict[str, str]:
    answer = hub("GET", f"/api/datasets/{repo}/tree/{EXPORT}?recursive=true")
    return {one["path"]: one["oid"] for one in answer.json if one["type"] == "file"}


def test_an_export_that_is_killed_again_and_again_ends_identical(
    durable: LiveServer,
) -> None:
    hub = Plain(durable.url, {"ada": durable.token()})
    chance = random.Random(7)
    repos = [hub.create(f"admin/{name}", "dataset") for name in ("calm", "killed")]
    calm, killed = repos
    commit(hub, calm)
    assert worker(durable).wait(300) == 0
    expected = exported(hub, calm)
    commit(hub, killed)

    for _ in range(KILLS):
        process = worker(durable)
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(1.0, 8.0))
        kill(process)
    assert worker(durable).wait(300) == 0

    assert len(expected) == 7
    assert exported(hub, killed) == expected
    assert durable.fsck() == []
