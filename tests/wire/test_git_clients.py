"""Other implementations of git clone, push and fetch; real git looks at what they hold."""

import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from dulwich import porcelain
from dulwich.repo import Repo as DulwichRepo

from tests.live import LiveServer
from tests.wire.git_client import Clone, Git
from tests.wire.git_libraries import UNSHALLOW, Dulwich, LibGit2, Library, PushRefused
from tests.wire.plain import Plain, file
from tests.wire.record import GIT, Record

pytestmark = pytest.mark.wire

ORIGIN_MAIN = "refs/remotes/origin/main"


@pytest.fixture
def git(hub: LiveServer, record: Record, tmp_path: Path) -> Iterator[Git]:
    with record.by(GIT):
        yield Git(hub, tmp_path, who="ada")


@pytest.fixture
def repo(plain: Plain) -> str:
    return plain.create(f"ada/library-{secrets.token_hex(4)}")


@pytest.fixture(params=[LibGit2, Dulwich], ids=["libgit2", "dulwich"])
def library(request: pytest.FixtureRequest) -> type[Library]:
    kind: type[Library] = request.param
    return kind


@pytest.fixture
def clone(library: type[Library], git: Git, repo: str) -> Library:
    return library.clone(git.url(repo), git.folder / "library")


def sound(git: Git, clone: Library) -> bool:
    return Clone(git, clone.folder).is_sound()


def refs(plain: Plain, repo: str) -> dict[str, str]:
    told = plain("GET", f"/api/models/{repo}/refs").json
    return {one["ref"]: one["targetCommit"] for kind in ("branches", "tags") for one in told[kind]}


def test_what_is_pushed_is_there_and_what_is_new_is_fetched(
    git: Git, clone: Library, plain: Plain, repo: str
) -> None:
    head = clone.commit("a/b.txt", "from the library")
    clone.push("refs/heads/main:refs/heads/main")
    pushed = plain("GET", f"/{repo}/resolve/main/a/b.txt").body
    made = plain.commit(repo, file("c.txt", "from the API")).json["commitOid"]
    clone.fetch()

    assert pushed == b"from the library"
    assert clone.commits(ORIGIN_MAIN)[:2] == [made, head]
    assert sound(git, clone)
    assert git.hub.fsck("--repo", repo, "--deep") == []


def test_branches_and_tags_come_and_go(git: Git, clone: Library, plain: Plain, repo: str) -> None:
    head = clone.commit("a.txt", "1")
    clone.tag("v1", "First")

    clone.push("refs/heads/main:refs/heads/dev/one", "refs/tags/v1:refs/tags/v1")
    pushed = refs(plain, repo)
    clone.push(":refs/heads/dev/one")
    again = git.clone(repo, into="again")

    assert (pushed["refs/heads/dev/one"], pushed["refs/tags/v1"]) == (head, head)
    assert "refs/heads/dev/one" not in refs(plain, repo)
    assert again("cat-file", "-t", "v1") == "tag"
    assert again.is_sound()
    assert sound(git, clone)


def test_history_is_rewritten_only_by_force(
    git: Git, clone: Library, plain: Plain, repo: str
) -> None:
    clone.commit("a.txt", "1")
    clone.push("refs/heads/main:refs/heads/main")
    other = git.clone(repo, into="other")
    other("commit", "--quiet", "--amend", "--message", "Another")
    other("push", "--quiet", "--force")

    mine = clone.commit("b.txt", "mine")
    with pytest.raises(PushRefused):
        clone.push("refs/heads/main:refs/heads/main")
    theirs = refs(plain, repo)["refs/heads/main"]
    clone.push("+refs/heads/main:refs/heads/main")

    assert theirs == other("rev-parse", "HEAD")
    assert refs(plain, repo)["refs/heads/main"] == mine
    assert sound(git, clone)
    assert git.hub.fsck("--repo", repo, "--deep") == []


def test_a_shallow_clone_grows_to_all_of_history(
    library: type[Library], git: Git, plain: Plain, repo: str
) -> None:
    for number in range(6):
        plain.commit(repo, file(f"{number}.txt", "x"), file("same.txt", str(number)))

    clone = library.clone(git.url(repo), git.folder / "library", depth=2)
    lengths, sounds = [len(clone.commits(ORIGIN_MAIN))], [sound(git, clone)]
    for depth in (4, UNSHALLOW):
        clone.fetch(depth=depth)
        lengths.append(len(clone.commits(ORIGIN_MAIN)))
        sounds.append(sound(git, clone))

    assert lengths == [2, 4, 7]
    assert all(sounds)


def test_a_refused_push_says_why(clone: Library) -> None:
    clone.commit("a.txt", "1")

    with pytest.raises(PushRefused, match="only branches, tags and pull requests"):
        clone.push("refs/heads/main:refs/notes/x")


def test_dulwich_clones_without_blobs(git: Git, plain: Plain, repo: str) -> None:
    plain.commit(repo, file("a.txt", "not here"))

    porcelain.clone(
        git.url(repo),
        str(git.folder / "partial"),
        checkout=False,
        errstream=io.BytesIO(),
        filter_spec="blob:none",
        protocol_version=2,
    ).close()

    partial = Clone(git, git.folder / "partial")
    with DulwichRepo(str(partial.folder)) as opened:
        kinds = {opened[oid].type_name for oid in opened.object_store}
    assert kinds == {b"commit", b"tree"}
