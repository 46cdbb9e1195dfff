"""Large files that are deleted for good, out of history too, as git sees it."""

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.wire.git_client import Clone, Git
from tests.wire.plain import Plain
from tests.wire.record import GIT, Record
from tests.wire.uploads import upload

pytestmark = pytest.mark.wire

SECRET, KEPT = b"a large file that was a mistake", b"a large file that stays"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


@pytest.fixture
def git(hub: LiveServer, record: Record, tmp_path: Path) -> Iterator[Git]:
    with record.by(GIT):
        yield Git(hub, tmp_path, who="ada")


@pytest.fixture
def repo(plain: Plain) -> str:
    made = plain.create(f"ada/rewritten-{secrets.token_hex(4)}")
    for content in (SECRET, KEPT):
        upload(plain, made, content)
    return made


def write(clone: Clone, path: str, text: str) -> str:
    """Commit one file; git-lfs has no part in it."""
    file = clone.folder / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    clone("-c", "filter.lfs.clean=", "-c", "filter.lfs.process=", "add", "--force", path)
    clone("commit", "--quiet", "--message", f"Add {path}\n\nWhy {path}.")
    return clone("rev-parse", "HEAD")


def pointer(content: bytes) -> str:
    return POINTER.format(hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def clone(git: Git, repo: str) -> Clone:
    """A line that a merge joins; the file on both sides of it, alone in a folder and not."""
    made = git.clone(repo)
    write(made, "before.txt", "1")
    write(made, "only/secret.dat", pointer(SECRET))
    write(made, "mixed/secret.dat", pointer(SECRET))
    write(made, "mixed/kept.dat", pointer(KEPT))
    made("tag", "--annotate", "inner", "--message", "Inner")
    made("tag", "--annotate", "v1", "inner", "--message", "Outer")
    made("switch", "--quiet", "--create", "side", "HEAD~2")
    write(made, "side.txt", "1")
    made("switch", "--quiet", "main")
    write(made, "main.txt", "1")
    made("merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    made("push", "--quiet", "origin", "main", "side", "v1")
    made("push", "--quiet", "origin", "HEAD~5:refs/heads/old")
    return made


def delete(plain: Plain, repo: str, content: bytes, *, rewrite: bool) -> int:
    deletions = {"sha": [hashlib.sha256(content).hexdigest()], "rewriteHistory": rewrite}
    answer = plain("POST", f"/api/models/{repo}/lfs-files/batch", {"deletions": deletions})
    return answer.status


def told(clone: Clone, *revisions: str) -> list[str]:
    """What commits say, less what rewriting may change."""
    form = "--format=%an %ae %at %cn %ct %s %b"
    return clone("log", "--topo-order", form, *revisions).splitlines()


def test_no_commit_ever_had_what_was_deleted_from_history(
    clone: Clone, repo: str, plain: Plain, hub: LiveServer
) -> None:
    before = clone("rev-parse", "HEAD~5")

    assert delete(plain, repo, SECRET, rewrite=True) == 200
    hub.manage("hub_gc")

    again = clone.git.clone(repo, into="again")
    assert again.is_sound()
    assert told(again) == told(clone)
    assert again("rev-parse", "origin/old") == clone("rev-parse", "HEAD~5") == before
    assert again("log", "--all", "--format=%H", "--", "only", "mixed/secret.dat") == ""
    assert again("rev-parse", "v1^{commit}") == again("rev-parse", "HEAD~2")
    assert again("cat-file", "-p", "v1").splitlines()[1] == "type tag"
    assert again("ls-tree", "-r", "--name-only", "HEAD").split() == [
        ".gitattributes",
        "before.txt",
        "main.txt",
        "mixed/kept.dat",
        "side.txt",
    ]
    secret = hashlib.sha256(SECRET).hexdigest().encode()
    assert not any(secret in text for text in blobs_of(again))
    assert hub.fsck("--repo", repo, "--deep") == []
    target = f"/api/models/{repo}/tree/main?expand=true"
    last = {one["path"]: one["lastCommit"]["id"] for one in plain("GET", target).json}
    assert last["main.txt"] == again("log", "-1", "--format=%H", "--", "main.txt")


def blobs_of(clone: Clone) -> list[bytes]:
    names = clone("rev-list", "--all", "--objects", "--no-object-names").split()
    kinds = {name: clone("cat-file", "-t", name) for name in names}
    return [
        clone("cat-file", "blob", name).encode() for name, kind in kinds.items() if kind == "blob"
    ]


def test_history_keeps_its_pointers_unless_it_is_rewritten(
    clone: Clone, repo: str, plain: Plain, hub: LiveServer
) -> None:
    head = clone("rev-parse", "main")

    assert delete(plain, repo, SECRET, rewrite=False) == 200

    again = clone.git.clone(repo, into="again")
    assert again("rev-parse", "HEAD~1") == head
    assert "only/secret.dat" not in again("ls-tree", "-r", "--name-only", "HEAD").split()
    assert hub.fsck("--repo", repo, "--deep") == []


def test_what_nobody_has_rewrites_nothing(clone: Clone, repo: str, plain: Plain) -> None:
    head = clone("rev-parse", "main")

    assert delete(plain, repo, b"never seen", rewrite=True) == 200

    assert clone("ls-remote", "origin", "refs/heads/main").split()[0] == head


def test_a_branch_whose_history_a_rule_keeps_is_not_rewritten(
    clone: Clone, repo: str, plain: Plain, hub: LiveServer
) -> None:
    head, rules = clone("rev-parse", "main"), f"/api/v1/repos/models/{repo}/ref-rules"
    rule = plain("PUT", rules, {"kind": "branch", "pattern": "main", "least_role": "write"})
    assert rule.status == 200

    assert delete(plain, repo, SECRET, rewrite=True) == 403
    assert clone("ls-remote", "origin", "refs/heads/main").split()[0] == head
    assert clone.git.clone(repo, into="kept").is_sound()
    assert hub.fsck("--repo", repo, "--deep") == []

    assert plain("DELETE", f"{rules}/{rule.json['id']}").status == 204
    assert delete(plain, repo, SECRET, rewrite=True) == 200
    assert clone("ls-remote", "origin", "refs/heads/main").split()[0] != head


def merged_as(plain: Plain, repo: str) -> str:
    told = plain("GET", f"/api/models/{repo}/discussions/1").json
    oid: str = told["changes"]["mergeCommitId"]
    return oid


def test_a_merged_pull_request_names_the_commits_that_took_the_place_of_its_own(
    clone: Clone, repo: str, plain: Plain, hub: LiveServer
) -> None:
    api = f"/api/models/{repo}"
    commit = f"{api}/commit/main?create_pr=1"
    lines = b'{"key":"header","value":{"summary":"Propose"}}\n'
    lines += b'{"key":"file","value":{"path":"new.txt","content":"new","encoding":"utf-8"}}\n'
    assert plain("POST", commit, lines).status == 200
    assert plain("POST", f"{api}/discussions/1/merge", {}).status == 200
    before = merged_as(plain, repo)

    assert delete(plain, repo, SECRET, rewrite=True) == 200

    after = merged_as(plain, repo)
    assert after != before
    again = clone.git.clone(repo, into="merged")
    assert after in again("rev-list", "origin/main").split()
    assert hub.fsck("--repo", repo, "--deep") == []
