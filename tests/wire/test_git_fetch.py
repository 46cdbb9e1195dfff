"""Clone and fetch with the real git, in each version of its protocol."""

import gzip
import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.git.pkt_line import line
from tests.live import LiveServer
from tests.wire import clients
from tests.wire.git_client import Git, need_git_lfs
from tests.wire.plain import Plain, file
from tests.wire.record import GIT, Record
from tests.wire.stories import Stories

pytestmark = pytest.mark.wire
STORY = "ada/git-story"
N_COMMITS = 10
FETCH = {"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"}


@pytest.fixture(scope="module")
def ada(hub: LiveServer) -> Plain:
    """Plain HTTP as Ada, for all of this module."""
    return Plain(hub.url, {"": "", "ada": hub.token("ada"), "cleo": hub.token("cleo")})


@pytest.fixture(scope="module")
def story(ada: Plain) -> str:
    """Ten commits; an annotated tag on the fourth, a plain one on the sixth, a branch."""
    ada.create(STORY)
    made = [str(commit["id"]) for commit in log(ada, STORY)]
    for number in range(1, N_COMMITS):
        edits = [file(f"d{number % 3}/{n}.txt", f"{number} {n}\n" * 300) for n in range(4)]
        many = [file(f"many/{n}", str(number)) for n in range(number, number + 40)]
        answer = ada.commit(STORY, *edits, *many, file("top.txt", str(number)))
        made.append(answer.json["commitOid"])
    api = f"/api/models/{STORY}"
    for revision, tag in ((made[3], {"tag": "v1", "message": "First"}), (made[5], {"tag": "v2"})):
        assert ada("POST", f"{api}/tag/{revision}", tag).status == 200
    assert ada("POST", f"{api}/branch/dev", {"startingPoint": made[2]}).status == 201
    return STORY


def log(ada: Plain, repo: str) -> list[dict[str, object]]:
    told: list[dict[str, object]] = ada("GET", f"/api/models/{repo}/commits/main").json
    return told


@pytest.fixture(params=[0, 1, 2], ids=lambda version: f"v{version}")
def protocol(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def git(hub: LiveServer, record: Record, tmp_path: Path, protocol: int) -> Iterator[Git]:
    with record.by(GIT):
        yield Git(hub, tmp_path, protocol)


@pytest.fixture
def git2(hub: LiveServer, record: Record, tmp_path: Path) -> Iterator[Git]:
    """Git with its present protocol, where the version makes no difference."""
    with record.by(GIT):
        yield Git(hub, tmp_path)


def test_a_clone_has_all_commits_branches_and_tags(git: Git, story: str) -> None:
    clone = git.clone(story)

    assert len(clone.commits()) == N_COMMITS
    assert clone("symbolic-ref", "HEAD") == "refs/heads/main"
    assert clone("branch", "-r", "--format=%(refname:lstrip=3)").split() == ["HEAD", "dev", "main"]
    assert clone("tag").split() == ["v1", "v2"]
    assert clone("cat-file", "-t", "v1") == "tag"
    assert clone.read("top.txt") == b"9"
    assert clone.is_sound()


def test_an_address_may_end_in_git(git2: Git, story: str) -> None:
    assert git2.clone(f"{story}.git").read("top.txt") == b"9"


def test_a_mirror_is_complete(git: Git, story: str) -> None:
    mirror = git.clone(story, "--mirror")

    refs = mirror("for-each-ref", "--format=%(refname)").split()
    assert refs == ["refs/heads/dev", "refs/heads/main", "refs/tags/v1", "refs/tags/v2"]
    assert mirror.is_sound()


def test_a_fetch_brings_a_new_commit_and_little_else(git: Git, ada: Plain) -> None:
    repo = ada.create(f"ada/git-new-{git.protocol}")
    ada.commit(repo, *(file(f"many/{n}", str(n)) for n in range(100)))
    clone = git.clone(repo)
    before = clone.objects()

    ada.commit(repo, file("many/7", "changed"))
    clone("pull", "--quiet")

    assert clone.read("many/7") == b"changed"
    assert len(clone.objects() - before) == 4  # commit, root, folder, file
    assert clone.is_sound()


def test_a_fetch_agrees_though_the_client_has_commits_of_its_own(git: Git, ada: Plain) -> None:
    repo = ada.create(f"ada/git-own-{git.protocol}")
    clone = git.clone(repo)
    for number in range(70):
        clone("commit", "--quiet", "--allow-empty", "--message", str(number))
    before = clone.objects()

    ada.commit(repo, file("new.txt", "new"))
    clone("fetch", "--quiet")

    assert len(clone.objects() - before) == 3
    assert clone("show", "origin/main:new.txt") == "new"


def test_a_shallow_clone_grows_step_by_step_to_all_of_history(git: Git, story: str) -> None:
    clone = git.clone(story, "--depth", "1")
    lengths = [len(clone.commits("origin/main"))]
    sound = [clone.is_sound()]

    for step in ("--depth=3", "--deepen=2", "--unshallow"):
        clone("fetch", "--quiet", step)
        lengths.append(len(clone.commits("origin/main")))
        sound.append(clone.is_sound())

    assert lengths == [1, 3, 5, N_COMMITS]
    assert all(sound)
    assert not (clone.folder / ".git" / "shallow").exists()


def test_a_shallow_clone_fetches_what_is_new_and_stays_shallow(git: Git, ada: Plain) -> None:
    repo = ada.create(f"ada/git-shallow-{git.protocol}")
    for number in range(4):
        ada.commit(repo, file("a.txt", str(number)), file(f"{number}.txt", "same"))
    clone = git.clone(repo, "--depth", "2")

    ada.commit(repo, file("a.txt", "new"))
    clone("pull", "--quiet")

    assert clone.read("a.txt") == b"new"
    assert len(clone.commits()) == 3
    assert clone.is_sound()


def test_a_full_clone_is_cut_to_a_depth(git: Git, ada: Plain) -> None:
    repo = ada.create(f"ada/git-cut-{git.protocol}")
    for number in range(4):
        ada.commit(repo, file("a.txt", str(number)))
    clone = git.clone(repo)

    clone("fetch", "--quiet", "--depth=2")

    assert len(clone.commits("origin/main")) == 2


def test_history_is_cut_by_age_and_by_ref(git: Git, story: str) -> None:
    by_ref = git.clone(story, "--shallow-exclude=v1", "--branch=main", into="by-ref")
    by_age = git.clone(story, "--shallow-since=2001-01-01", into="by-age")
    too_young = git.tried("clone", "--shallow-since=2099-01-01", git.url(story), "too-young")

    assert len(by_ref.commits()) == N_COMMITS - 4
    assert len(by_age.commits()) == N_COMMITS
    assert by_ref.is_sound()
    assert by_age.is_sound()
    assert "No commit is left within these bounds" in too_young.stderr


@pytest.mark.parametrize("leave_out", ["blob:none", "blob:limit=1k", "tree:0"])
def test_a_partial_clone_checks_out_and_reads_all_of_history(
    git: Git, story: str, leave_out: str
) -> None:
    bare = git.clone(story, f"--filter={leave_out}", "--bare", into="bare")
    kinds = set(bare("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split())
    clone = git.clone(story, f"--filter={leave_out}")

    assert ("tree" in kinds) == (leave_out != "tree:0")
    assert ("blob" in kinds) == (leave_out == "blob:limit=1k")
    assert clone.read("top.txt") == b"9"
    assert clone.read("d0/1.txt") == b"9 1\n" * 300
    assert clone("status", "--porcelain") == ""
    assert len(clone("log", "--stat", "--oneline", "--", "top.txt").splitlines()) == 27
    assert clone.is_sound()


def test_a_partial_clone_leaves_out_files_above_the_limit(git: Git, story: str) -> None:
    bare = git.clone(story, "--filter=blob:limit=1k", "--bare")

    sizes = bare(
        "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectsize)"
    ).splitlines()

    assert max(int(size.split()[1]) for size in sizes if size.startswith("blob")) < 4096
    assert not any(size == "blob 1200" for size in sizes)


def test_one_branch_comes_alone_with_the_tags_on_it(git: Git, story: str) -> None:
    clone = git.clone(story, "--single-branch", "--branch=dev")
    main = git.clone(story, "--single-branch", "--branch=main", into="main")

    assert len(clone.commits()) == 3
    assert clone("tag") == ""
    assert main("tag").split() == ["v1", "v2"]
    assert clone.is_sound()


def test_a_commit_is_fetched_by_its_id(git: Git, story: str, ada: Plain) -> None:
    oid = str(log(ada, story)[4]["id"])
    git.run("init", "--quiet", "clone")
    folder = git.folder / "clone"

    git.run("fetch", "--quiet", "--depth=1", git.url(story), oid, at=folder)

    assert git.run("rev-list", "FETCH_HEAD", at=folder) == oid


def test_after_a_squash_a_clone_holds_one_commit_and_a_fetch_follows(git: Git, ada: Plain) -> None:
    repo = ada.create(f"ada/git-squash-{git.protocol}")
    for number in range(5):
        ada.commit(repo, file("a.txt", f"secret {number}"), file("b.txt", "kept"))
    old = git.clone(repo, into="old")

    assert ada("POST", f"/api/models/{repo}/super-squash/main", {}).status == 200
    old("fetch", "--quiet")
    new = git.clone(repo, into="new")

    assert len(new.commits()) == 1
    assert len(new.objects()) == len({"commit", "root", ".gitattributes", "a.txt", "b.txt"})
    assert old("rev-parse", "origin/main") == new("rev-parse", "HEAD")
    assert new.is_sound()
    assert old.is_sound()


def test_a_repo_without_its_default_branch_still_clones(git2: Git, ada: Plain) -> None:
    repo = ada.create("ada/git-fresh")

    clone = git2.clone(repo)

    assert len(clone.commits()) == 1
    assert (clone.folder / ".gitattributes").exists()


def test_a_private_repo_is_cloned_by_token_alone(git: Git, ada: Plain) -> None:
    repo = ada.create(f"ada/git-private-{git.protocol}", private=True)

    nobody = git.tried("clone", git.url(repo), "nobody")
    stranger = replace(git, who="cleo")
    refused = stranger.tried("clone", stranger.url(repo), "stranger")
    clone = replace(git, who="ada").clone(repo)

    assert "could not read Username" in nobody.stderr
    assert "not found" in refused.stderr
    assert "Repository not found" in refused.stderr
    assert clone.is_sound()


@pytest.mark.parametrize("who", ["", "cleo"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", "/info/refs?service=git-upload-pack"),
        ("GET", ".git/info/refs?service=git-receive-pack"),
        ("POST", "/git-upload-pack"),
    ],
)
def test_a_hidden_repo_answers_git_like_a_missing_one(
    ada: Plain, who: str, method: str, rest: str
) -> None:
    hidden = ada(method, f"/{ada.create('ada/git-hidden', private=True)}{rest}", b"", who=who)
    missing = ada(method, f"/ada/git-absent{rest}", b"", who=who)

    assert hidden.status == missing.status == (404 if who else 401)
    assert hidden.body == missing.body
    assert hidden.code == missing.code == "RepoNotFound"
    challenge = None if who else 'Basic realm="Weighhouse", charset="UTF-8"'
    assert hidden.headers["WWW-Authenticate"] == missing.headers["WWW-Authenticate"] == challenge


def test_a_gated_repo_is_not_cloned_by_strangers(git2: Git, ada: Plain) -> None:
    repo = ada.create("ada/git-gated")
    ada("PUT", f"/api/models/{repo}/settings", {"gated": "manual"})
    stranger = replace(git2, who="cleo")

    refused = stranger.tried("clone", stranger.url(repo), "stranger")

    assert "403" in refused.stderr
    assert "restricted" in refused.stderr


def test_git_follows_a_repo_to_its_new_name(git: Git, ada: Plain) -> None:
    old, new = ada.create(f"ada/git-old-{git.protocol}"), f"ada/git-moved-{git.protocol}"
    move = {"fromRepo": old, "toRepo": new, "type": "model"}
    assert ada("POST", "/api/repos/move", move).status == 200

    assert git.clone(f"{old}.git").is_sound()


def test_datasets_are_cloned_below_their_prefix(git2: Git, ada: Plain) -> None:
    repo = ada.create("ada/git-data", "dataset")

    assert git2.clone(f"datasets/{repo}").is_sound()


def test_the_refs_for_a_push_are_for_those_who_may_push(ada: Plain, story: str) -> None:
    target = f"/{story}/info/refs?service=git-receive-pack"

    told, stranger, nobody = (ada("GET", target, who=who) for who in ("ada", "cleo", ""))

    assert told.headers["Content-Type"] == "application/x-git-receive-pack-advertisement"
    assert b"refs/heads/dev\0report-status" in told.body
    assert (stranger.status, nobody.status) == (403, 401)
    assert nobody.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_client_without_smart_http_is_told_to_update(ada: Plain, story: str) -> None:
    answer = ada("GET", f"/{story}/info/refs", who="")

    assert answer.status == 403
    assert b"smart HTTP" in answer.body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (line("command=fetch") + b"0001" + line("want " + "ab" * 20) + b"0000", b"not our ref"),
        (line("command=fetch") + b"0001" + line("done") + b"0000", b"Nothing is wanted"),
        (line("command=fetch") + b"0001" + line("filter sparse:x") + b"0000", b"filter"),
        (line("command=steal") + b"0000", b"not known"),
        (b"zzzz", b"pkt-line"),
        (b"00ff", b"cut off"),
        (b"", b"not known"),
    ],
)
def test_nonsense_is_refused_in_words_that_git_shows(
    ada: Plain, story: str, body: bytes, says: bytes
) -> None:
    answer = ada("POST", f"/{story}/git-upload-pack", body, who="", headers=FETCH)

    assert answer.status == 200
    assert answer.body[4:8] == b"ERR "
    assert says in answer.body


def test_a_compressed_request_is_inflated_and_a_bomb_is_not(ada: Plain, story: str) -> None:
    asked = line("command=ls-refs") + b"0001" + line("ref-prefix refs/heads/dev") + b"0000"
    bomb = gzip.compress(line("command=fetch") + b"0001" + line("have " + "0" * 40) * 1_000_000)
    headers = {**FETCH, "Content-Encoding": "gzip"}

    def post(body: bytes) -> bytes:
        return ada("POST", f"/{story}/git-upload-pack", body, who="", headers=headers).body

    assert b"refs/heads/dev" in post(gzip.compress(asked))
    assert b"ERR The body has more than" in post(bomb)
    assert b"ERR The body is cut off" in post(gzip.compress(asked)[:20])
    assert b"ERR The body is not in gzip's format" in post(b"not gzip at all")


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_git_lfs_brings_the_large_files_of_a_clone(
    git2: Git, ada: Plain, stories: Stories, record: Record, tmp_path: Path, *, xet: bool
) -> None:
    need_git_lfs()
    repo = ada.create(f"ada/git-lfs-{'xet' if xet else 'basic'}")
    content = random.Random(7 + xet).randbytes(400_000)
    (tmp_path / "w.bin").write_bytes(content)
    client = clients.client(clients.OURS)
    stories.command(client, "hf", "upload", repo, str(tmp_path / "w.bin"), "w.bin", xet=xet)

    git2.run("lfs", "install", "--skip-repo")
    with record.by(GIT):
        clone = git2.clone(repo)

    assert hashlib.sha256(clone.read("w.bin")).digest() == hashlib.sha256(content).digest()
    assert clone("lfs", "ls-files").endswith("* w.bin")
    assert clone("status", "--porcelain") == ""


def test_a_clone_without_git_lfs_holds_pointers(
    git2: Git, ada: Plain, stories: Stories, tmp_path: Path
) -> None:
    repo = ada.create("ada/git-pointers")
    (tmp_path / "w.bin").write_bytes(random.Random(9).randbytes(50_000))
    client = clients.client(clients.OURS)
    stories.command(client, "hf", "upload", repo, str(tmp_path / "w.bin"), "w.bin")

    clone = git2.clone(repo)

    assert clone.read("w.bin").startswith(b"version https://git-lfs.github.com/spec/v1\n")
    assert clone.is_sound()


def test_libgit2_clones_and_fetches(git2: Git, ada: Plain, story: str) -> None:
    pygit2 = pytest.importorskip("pygit2")
    repo = ada.create("ada/git-lib")
    ada.commit(repo, file("a.txt", "1"))

    clone = pygit2.clone_repository(git2.url(repo), str(git2.folder / "clone"))
    shallow = pygit2.clone_repository(git2.url(story), str(git2.folder / "shallow"), depth=2)
    ada.commit(repo, file("a.txt", "2"))
    clone.remotes["origin"].fetch()

    head = clone.references["refs/remotes/origin/main"].target
    assert clone[clone[head].tree["a.txt"].id].data == b"2"
    assert len(list(shallow.walk(shallow.head.target))) == 2
    assert git2.run("fsck", "--strict", at=git2.folder / "clone") == ""
