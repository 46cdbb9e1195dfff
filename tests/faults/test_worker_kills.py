"""A worker may die at any point of its job: the row waits, and whoever comes next goes on."""

import hashlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from hub.crashpoints import VARIABLE, Point
from hub.queries.fsck.leftovers import STAGING_LIFE
from hub.services.indexing import COMMITS_AT_A_TIME
from tests.faults.checking import Checker
from tests.faults.ledger import send_large
from tests.live import LiveServer, wait_until
from tests.wire.git_client import Git
from tests.wire.plain import Plain, file

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULT_POINT_KILLS", "2"))
COLLECTIONS = max(1, KILLS // 5)
"""Killed at each of their points: every one is a process of its own, and they take their time."""
JOB_KILLS = min(KILLS, 5)
"""A message whose worker died twice is gone; then the work waits for the next minute's sweep."""
N_COMMITS = COMMITS_AT_A_TIME * (max(JOB_KILLS, 2) + 1)
"""More than a push indexes itself, and a batch for each kill that comes after one is filed."""
LOST = "exited with 'signal 9"
"""What Celery says of a child that was killed."""
SECONDS = 120.0 + 60 * JOB_KILLS


@pytest.fixture(scope="module")
def durable() -> Iterator[LiveServer]:
    with LiveServer(durable=True) as live:
        yield live


@pytest.fixture
def hub(durable: LiveServer) -> Plain:
    return Plain(durable.url, {"ada": durable.token()})


def stream(number: int) -> str:
    """One commit as git fast-import reads it."""
    text = f"{number}\n"
    origin = "reset refs/heads/main\n\n" if number == 0 else ""
    return (
        f"{origin}commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + number} +0000\n"
        f"data 1\nm\nM 100644 inline d{number % 20}/{number % 13}.txt\ndata {len(text)}\n{text}\n"
    )


def is_indexed(hub: Plain, repo: str) -> bool:
    time.sleep(0.5)
    entries = hub("GET", f"/api/models/{repo}/tree/main?expand=true").json
    return all(entry["lastCommit"] for entry in entries)


def test_a_job_goes_on_where_a_dead_worker_left_it(
    durable: LiveServer, hub: Plain, tmp_path: Path
) -> None:
    repo = hub.create(f"admin/indexed-{secrets.token_hex(4)}")
    clone = Git(durable, tmp_path, who="admin").clone(repo)
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force"],
        cwd=clone.folder,
        input="".join(map(stream, range(N_COMMITS))).encode(),
        check=True,
    )
    clone("push", "--quiet", "--force", "origin", "main")
    assert not is_indexed(hub, repo)
    plan = [Point.INDEX_FILED, Point.INDEX_COMMITTED] * JOB_KILLS

    durable.start_workers(**{VARIABLE: ",".join(f"{point}:1" for point in plan)})
    wait_until(lambda: is_indexed(hub, repo), SECONDS, "the job")
    durable.kill_workers()

    deaths = durable.told().count(LOST)
    print(f"\n{deaths} deaths of a worker while {N_COMMITS:,} commits were indexed")
    assert deaths == len(plan)
    entries = hub("GET", f"/api/models/{repo}/tree/main?recursive=true&expand=true").json
    for entry in entries[:: len(entries) // 20]:
        last = clone("log", "-1", "--format=%H", "main", "--", entry["path"])
        assert entry["lastCommit"]["id"] == last, entry
    assert durable.fsck("--repo", repo, "--deep") == []


def test_what_a_dead_sweeper_left_is_swept_by_the_next(durable: LiveServer) -> None:
    staging = durable.data / "store" / "staging"
    old = (timezone.now() - STAGING_LIFE - timedelta(hours=1)).timestamp()
    staging.mkdir(parents=True, exist_ok=True)
    for number in range(KILLS + 2):
        left = staging / f"{number:032x}"
        left.write_bytes(b"left")
        os.utime(left, (old, old))
    young = staging / f"{99:032x}"
    young.write_bytes(b"being written")

    code = "from hub.services.sweeping import sweep_staging; sweep_staging()"
    ended = [
        durable.ran("manage.py", "shell", "-c", code, **{VARIABLE: f"{Point.SWEEP_DROPPED}:1"})
        for _ in range(KILLS)
    ]
    durable.manage("shell", "-c", code)

    assert ended == [-9] * KILLS
    assert list(staging.iterdir()) == [young]


COLLECT = """
from datetime import timedelta
from django.utils import timezone
from hub.services.collect import collect
for days in (8, 20):
    collect(now=timezone.now() + timedelta(days=days))
"""


def make_garbage(hub: Plain, repo: str) -> None:
    """A commit that nothing leads to any more, and a large file that was never committed."""
    api, name = f"/api/models/{repo}", secrets.token_hex(4)
    head = hub("GET", f"{api}/refs").json["branches"][0]["targetCommit"]
    assert hub("POST", f"{api}/branch/{name}", {"startingPoint": head}).status == 201
    body = (
        b'{"key": "header", "value": {"summary": "gone"}}\n'
        b'{"key": "file", "value": {"path": "%b", "content": "x", "encoding": "utf-8"}}\n'
    ) % name.encode()
    assert hub("POST", f"{api}/commit/{name}", body).status == 200
    assert hub("DELETE", f"{api}/branch/{name}").status == 200
    assert send_large(hub, repo, os.urandom(50_000)).status == 200


def test_what_a_dead_collector_left_is_collected_by_the_next(
    durable: LiveServer, hub: Plain
) -> None:
    repo, kept = hub.create(f"admin/collected-{secrets.token_hex(4)}"), os.urandom(50_000)
    assert send_large(hub, repo, kept).status == 200
    oid = hashlib.sha256(kept).hexdigest()
    entry = {"path": "kept.bin", "algo": "sha256", "oid": oid, "size": len(kept)}
    assert hub.commit(repo, ("lfsFile", entry), file("kept.txt", "kept")).status == 200
    points = [point for point in Point if point.startswith("collect.")]

    ended = []
    with Checker(durable) as checker:
        for point in points * COLLECTIONS:
            make_garbage(hub, repo)
            environ = {VARIABLE: f"{point}:1"}
            ended.append(durable.ran("manage.py", "shell", "-c", COLLECT, **environ))
            assert checker.findings(repo) == []
    durable.manage("shell", "-c", COLLECT)

    print(f"\n{len(points)} points, {len(ended)} deaths of a collector")
    assert ended == [-9] * len(ended)
    assert hub("GET", f"/{repo}/resolve/main/kept.bin").body == kept
    assert [
        path.name for path in (durable.data / "store" / "lfs").rglob("*") if path.is_file()
    ] == [oid]
    assert len(hub("GET", f"/api/models/{repo}/commits/main").json) == 2
    assert durable.fsck("--deep") == []
