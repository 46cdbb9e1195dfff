"""A repo that the API, git and Xet write in turn is one history, however one looks at it."""

import hashlib
import random
import secrets
from pathlib import Path

import pytest
from huggingface_hub import HfApi, snapshot_download

from tests.live import LiveServer
from tests.wire import clients
from tests.wire.git_client import Clone, Git, need_git_lfs
from tests.wire.plain import Plain, file
from tests.wire.record import GIT, Record
from tests.wire.stories import Stories

pytestmark = pytest.mark.wire

ROUNDS = 3


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder but those of git itself, and what is in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", ".cache"} & set(path.relative_to(folder).parts)
    }


def push_files(clone: Clone, number: int, chance: random.Random) -> None:
    clone("pull", "--quiet")
    (clone.folder / "git").mkdir(exist_ok=True)
    (clone.folder / "git" / f"{number}.txt").write_text(f"{number} by git\n")
    (clone.folder / "shared.txt").write_text(f"{number} by git\n")
    (clone.folder / f"lfs-{number}.bin").write_bytes(chance.randbytes(60_000))
    clone("add", "--all")
    clone("commit", "--quiet", "--message", f"{number} by git")
    clone("push", "--quiet")


def test_api_git_and_xet_write_one_history(
    hub: LiveServer, plain: Plain, stories: Stories, record: Record, tmp_path: Path
) -> None:
    need_git_lfs()
    repo, chance = plain.create(f"ada/one-{secrets.token_hex(4)}"), random.Random(3)
    with record.by(GIT):
        git = Git(hub, tmp_path, who="ada")
        git.run("lfs", "install", "--skip-repo")
        clone = git.clone(repo)
    client = clients.client(clients.OURS)

    for number in range(ROUNDS):
        shared = file("shared.txt", f"{number} by the API\n")
        plain.commit(repo, file(f"api/{number}.txt", f"{number}\n"), shared, summary=f"{number}")
        with record.by(GIT):
            push_files(clone, number, chance)
        large = tmp_path / f"xet-{number}.bin"
        large.write_bytes(chance.randbytes(300_000))
        stories.command(client, "hf", "upload", repo, str(large), large.name)

    with record.by(GIT):
        again = git.clone(repo, into="again")
    api = HfApi(hub.url, token=hub.token("ada"))
    snapshot = Path(
        snapshot_download(
            repo, local_dir=tmp_path / "snapshot", endpoint=hub.url, token=hub.token("ada")
        )
    )
    cloned = digests(again.folder)
    assert cloned == digests(snapshot)
    assert sorted(cloned) == sorted(api.list_repo_files(repo))
    assert len(cloned) == 4 * ROUNDS + 2
    assert [one.commit_id for one in api.list_repo_commits(repo)] == again.commits()
    assert len(again.commits()) == 3 * ROUNDS + 1
    assert again.is_sound()
    assert hub.fsck("--repo", repo, "--deep") == []
