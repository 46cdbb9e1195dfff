"""A push that is killed has happened fully or not at all, and pushing again is safe."""

import os
import random
import secrets
import subprocess
import time
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.wire.git_client import Clone, Git
from tests.wire.plain import Plain

pytestmark = pytest.mark.faults

KILLS = max(3, int(os.environ.get("FAULT_KILLS", "40")) // 10)
N_FILES = 1500
LONGEST_SECONDS = 2.0


def start_push(clone: Clone, branch: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["git", "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}"],
        cwd=clone.folder,
        stderr=subprocess.DEVNULL,
    )


def edit(clone: Clone, round_: int) -> str:
    for number in range(N_FILES):
        path = clone.folder / f"d{number % 20}" / f"{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{round_} {number}\n" * 10)
    clone("add", "--all")
    clone("commit", "--quiet", "--message", f"Round {round_}")
    return clone("rev-parse", "HEAD")


def rows_of(live: LiveServer) -> str:
    return live.manage(
        "shell",
        "--verbosity=0",
        "-c",
        "from hub.models import sql; print([sql.row(f'SELECT count(*) FROM {t}') for t in "
        "('git_object', 'git_commit', 'path_change', 'git_ref', 'git_line')])",
    )


def test_a_killed_push_leaves_all_or_nothing(durable: LiveServer, tmp_path: Path) -> None:
    hub = Plain(durable.url, {"ada": durable.token()})
    repo = hub.create(f"admin/pushed-{secrets.token_hex(4)}")
    clone = Git(durable, tmp_path, who="admin").clone(repo)
    landed = 0

    for round_ in range(KILLS):
        head, before = edit(clone, round_), rows_of(durable)
        pushing = start_push(clone, "main")
        time.sleep(random.uniform(0, LONGEST_SECONDS))
        durable.kill_web()
        acknowledged = pushing.wait() == 0
        durable.start_web()

        told = clone("ls-remote", "origin", "refs/heads/main").split()[0]
        if told == head:
            landed += 1
        else:
            assert not acknowledged
            assert rows_of(durable) == before
        assert durable.fsck("--repo", repo, "--deep") == []
        clone("push", "--quiet", "origin", "HEAD:refs/heads/main")

    print(f"\n{KILLS} kills during a push of {N_FILES} files: {landed} had landed")
    again = clone.git.clone(repo, into="again")
    assert again.is_sound()
    assert len(again.commits()) == KILLS + 1
