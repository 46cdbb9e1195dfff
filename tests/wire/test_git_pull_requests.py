"""Pull requests with the real git: fetched by everybody, pushed by their authors and by writers."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.wire.git_client import Clone, Git, need_git_lfs
from tests.wire.plain import Plain, file
from tests.wire.record import GIT, Record

pytestmark = pytest.mark.wire


@pytest.fixture
def git(hub: LiveServer, record: Record, tmp_path: Path) -> Iterator[Git]:
    """Cleo, who may only read what is Ada's."""
    with record.by(GIT):
        yield Git(hub, tmp_path, who="cleo")


@pytest.fixture
def repo(plain: Plain) -> str:
    name = plain.create(f"ada/proposed-{secrets.token_hex(4)}")
    assert plain.commit(name, file("a.txt", "one\n")).status == 200
    return name


@pytest.fixture
def clone(git: Git, repo: str, plain: Plain) -> Clone:
    """Cleo's clone, on a branch that stands where her new pull request does."""
    body = {"title": "Better", "description": "Why", "pullRequest": True}
    made = plain("POST", f"/api/models/{repo}/discussions", body, who="cleo")
    assert made.json["num"] == 1
    clone = git.clone(repo)
    clone("fetch", "--quiet", "origin", "refs/pr/1:pr/1")
    clone("switch", "--quiet", "pr/1")
    return clone


def write(clone: Clone, path: str, content: bytes | str) -> str:
    data = content.encode() if isinstance(content, str) else content
    (clone.folder / path).write_bytes(data)
    clone("add", "--all")
    clone("commit", "--quiet", "--message", f"Change {path}")
    return clone("rev-parse", "HEAD")


def refused(clone: Clone, *arguments: str) -> str:
    done = clone.git.tried("push", *arguments, at=clone.folder)
    assert done.returncode != 0, done.stderr
    return done.stderr


def details(plain: Plain, repo: str) -> dict[str, object]:
    found: dict[str, object] = plain("GET", f"/api/models/{repo}/discussions/1?diff=1").json
    return found


def set_status(plain: Plain, repo: str, status: str) -> None:
    done = plain("POST", f"/api/models/{repo}/discussions/1/status", {"status": status})
    assert done.status == 200, done


def test_its_author_pushes_to_a_pull_request_and_the_owner_merges(
    clone: Clone, repo: str, plain: Plain
) -> None:
    first = write(clone, "b.txt", "b\n")
    second = write(clone, "c.txt", "c\n")

    clone("push", "--quiet", "origin", "HEAD:refs/pr/1")

    told = details(plain, repo)
    commits = [one["data"]["oid"] for one in told["events"] if one["type"] == "commit"]  # type: ignore[attr-defined]
    assert commits == [first, second]
    assert "+b\n" in str(told["diff"])
    assert plain("GET", f"/{repo}/resolve/refs%2Fpr%2F1/c.txt").body == b"c\n"
    set_status(plain, repo, "open")
    assert plain("POST", f"/api/models/{repo}/discussions/1/merge", b"null").status == 200
    clone("fetch", "--quiet")
    assert clone("rev-parse", "origin/main") == second
    assert clone.git.hub.fsck("--repo", repo, "--deep") == []


def test_every_client_of_git_sees_and_fetches_pull_requests(clone: Clone, repo: str) -> None:
    head = write(clone, "b.txt", "b\n")
    clone("push", "--quiet", "origin", "HEAD:refs/pr/1")

    for protocol in (0, 1, 2):
        nobody = replace(clone.git, protocol=protocol, who="")
        assert f"{head}\trefs/pr/1" in nobody.run("ls-remote", nobody.url(repo))
        plain_clone = nobody.clone(repo, into=f"nobody-{protocol}")
        plain_clone("fetch", "--quiet", "origin", "refs/pr/1")
        assert plain_clone("rev-parse", "FETCH_HEAD") == head


def test_who_may_only_read_pushes_nothing_else(clone: Clone, repo: str, plain: Plain) -> None:
    body = {"title": "Another", "description": "", "pullRequest": True}
    assert plain("POST", f"/api/models/{repo}/discussions", body).json["num"] == 2
    before = clone("ls-remote", "origin")
    write(clone, "b.txt", "b\n")

    for ref in ("refs/heads/main", "refs/heads/new", "refs/tags/v1", "refs/pr/2"):
        assert "pull requests of your own" in refused(clone, "origin", f"HEAD:{ref}")
    assert "no such pull request" in refused(clone, "origin", "HEAD:refs/pr/9")
    assert "no such pull request" in refused(clone, "origin", "HEAD:refs/pr/01")
    assert "cannot be deleted" in refused(clone, "origin", ":refs/pr/1")
    both = refused(clone, "--atomic", "origin", "HEAD:refs/pr/1", "HEAD:refs/heads/main")
    assert "pull requests of your own" in both

    assert clone("ls-remote", "origin") == before


def test_a_writer_pushes_to_anybodys_pull_request(clone: Clone, repo: str, plain: Plain) -> None:
    ada = replace(clone.git, who="ada").clone(repo, into="ada")
    ada("fetch", "--quiet", "origin", "refs/pr/1")
    ada("switch", "--quiet", "--detach", "FETCH_HEAD")
    head = write(ada, "b.txt", "from ada\n")

    ada("push", "--quiet", "origin", "HEAD:refs/pr/1")

    assert f"{head}\trefs/pr/1" in clone("ls-remote", "origin")
    write(clone, "b.txt", "from cleo\n")
    assert "fetch first" in refused(clone, "origin", "HEAD:refs/pr/1")


@pytest.mark.parametrize("end", ["closed", "merged"])
def test_nothing_is_pushed_to_what_is_over(clone: Clone, repo: str, plain: Plain, end: str) -> None:
    write(clone, "b.txt", "b\n")
    clone("push", "--quiet", "origin", "HEAD:refs/pr/1")
    set_status(plain, repo, "open" if end == "merged" else "closed")
    if end == "merged":
        assert plain("POST", f"/api/models/{repo}/discussions/1/merge", {}).status == 200
    before = clone("ls-remote", "origin")
    write(clone, "c.txt", "c\n")

    told = refused(clone, "origin", "HEAD:refs/pr/1")

    assert f"is {end}" in told
    assert clone("ls-remote", "origin") == before


def test_large_files_of_a_pull_request_go_by_lfs(clone: Clone, repo: str, plain: Plain) -> None:
    need_git_lfs()
    content = secrets.token_bytes(2_000_000)
    clone("lfs", "install", "--local")
    write(clone, "weights.bin", content)

    clone("push", "--quiet", "origin", "HEAD:refs/pr/1")

    assert plain("GET", f"/{repo}/resolve/refs%2Fpr%2F1/weights.bin").body == content
    assert plain("GET", f"/{repo}/resolve/main/weights.bin").status == 404
