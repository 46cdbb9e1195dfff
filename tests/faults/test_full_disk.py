import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from hub.config.env import load
from tests.faults.ledger import send_large
from tests.live import LiveServer
from tests.wire.plain import Answer, Plain, file

pytestmark = pytest.mark.faults

MIB = 1024 * 1024
CI = load().ci


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """A file system of so many bytes."""
    with tempfile.TemporaryDirectory(prefix="weighhouse-disk-") as home:
        Path(home).chmod(0o711)
        options = f"size={size},mode=711"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", home],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            (pytest.fail if CI else pytest.skip)(f"a small disk needs root: {done.stderr}")
        try:
            yield Path(home)
        finally:
            subprocess.run(["umount", "--lazy", home], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Put a file on the disk that leaves only so many bytes free."""
    space, filler = os.statvfs(disk), disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - leave)
    return filler


def pointer(path: str, content: bytes) -> tuple[str, object]:
    oid = hashlib.sha256(content).hexdigest()
    return "lfsFile", {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}


def test_a_full_store_refuses_uploads_and_serves_what_it_has() -> None:
    with small_disk(48 * MIB) as disk:
        environ = {"WEIGHHOUSE_STORE_URL": f"file://{disk}/store"}
        with LiveServer(environ=environ) as live:
            hub, repo, before = hub_of(live), "admin/full", os.urandom(8 * MIB)
            hub.create(repo)
            assert send_large(hub, repo, before).status == 200
            assert hub.commit(repo, pointer("before.bin", before)).status == 200

            filler = fill(disk, leave=4 * MIB)
            refused = [send_large(hub, repo, os.urandom(size * MIB)) for size in (5, 40)]

            assert [(one.status, one.json["error"]) for one in refused] == [(507, FULL)] * 2
            assert refused[0].headers["X-Error-Message"] == FULL
            assert list((disk / "store" / "staging").iterdir()) == []
            assert hub("GET", f"/{repo}/resolve/main/before.bin").body == before
            assert hub.commit(repo, file("small.txt", "no large file")).status == 200

            filler.unlink()
            after = os.urandom(5 * MIB)
            assert send_large(hub, repo, after).status == 200
            assert hub.commit(repo, pointer("after.bin", after)).status == 200
            assert live.fsck("--deep") == []


def test_a_database_without_room_loses_nothing_and_recovers(tmp_path: Path) -> None:
    with small_disk(400 * MIB) as disk:
        environ = {"WEIGHHOUSE_STORE_URL": f"file://{tmp_path}/store"}
        with LiveServer(disk / "data", environ=environ, durable=True) as live:
            hub, repo = hub_of(live), "admin/full"
            hub.create(repo)
            filler = fill(disk, leave=24 * MIB)

            acked = write_until_refused(hub, repo)
            still_read = hub("GET", f"/{repo}/resolve/main/0.txt")
            filler.unlink()
            recover(live)

            assert len(acked) > 0
            assert still_read.status in {200, 500, 503}
            assert hub.commit(repo, file("after.txt", "room again")).status == 200
            for path, text in acked.items():
                assert hub("GET", f"/{repo}/resolve/main/{path}").body == text.encode()
            assert live.fsck("--deep") == []


FULL = "The storage is full. Nothing was changed; try again when there is space."


def hub_of(live: LiveServer) -> Plain:
    return Plain(live.url, {"ada": live.token()})


def write_until_refused(hub: Plain, repo: str) -> dict[str, str]:
    """Commit text that does not shrink until the hub says no; answer what it took."""
    acked: dict[str, str] = {}
    for number in range(200):
        path, text = f"{number}.txt", os.urandom(MIB // 2).hex()
        answer = attempt(hub, repo, path, text)
        if answer is None or answer.status != 200:
            print(f"\nafter {number} commits: {answer and (answer.status, answer.json)}")
            assert answer is None or answer.status >= 500
            return acked
        acked[path] = text
    pytest.fail("the disk was never full")


def attempt(hub: Plain, repo: str, path: str, text: str) -> Answer | None:
    try:
        return hub.commit(repo, file(path, text))
    except (OSError, HTTPException):
        return None


def recover(live: LiveServer) -> None:
    """PostgreSQL gives up when its log has no room; its supervisor would start it again."""
    if not live.is_ready():
        live.kill_postgres()
        live.start_postgres()
    live.wait_ready()
