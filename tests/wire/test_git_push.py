"""Push with the real git and git-lfs: what lands, what is refused, and that nothing lands half."""

import hashlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from huggingface_hub import HfApi

from hub.git.pkt_line import Mark, packet
from hub.services.pushes import INDEXED_AT_ONCE
from tests.hub.git.packs import pack
from tests.live import LiveServer
from tests.wire.git_client import Clone, Git, need_git_lfs
from tests.wire.plain import Plain, file
from tests.wire.record import GIT, Record

pytestmark = pytest.mark.wire

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
PUSHED = {"Content-Type": "application/x-git-receive-pack-request"}


@pytest.fixture
def git(hub: LiveServer, record: Record, tmp_path: Path) -> Iterator[Git]:
    with record.by(GIT):
        yield Git(hub, tmp_path, who="ada")


@pytest.fixture
def repo(plain: Plain) -> str:
    return plain.create(f"ada/push-{secrets.token_hex(4)}")


@pytest.fixture
def clone(git: Git, repo: str) -> Clone:
    return git.clone(repo)


def write(clone: Clone, **files: str) -> str:
    """Commit files, whose names have no endings here; answer the commit."""
    for name, text in files.items():
        path = clone.folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    clone("add", "--all")
    clone("commit", "--quiet", "--message", f"Change {', '.join(files)}")
    return clone("rev-parse", "HEAD")


def refused(clone: Clone, *arguments: str) -> str:
    """Push in vain; answer what git was told."""
    done = clone.git.tried("push", *arguments, at=clone.folder)
    assert done.returncode != 0, done.stderr
    return done.stderr


def refs(clone: Clone) -> dict[str, str]:
    lines = clone("ls-remote", "origin").splitlines()
    return {name: oid for oid, name in (line.split("\t") for line in lines)}


def is_whole(clone: Clone, repo: str) -> bool:
    """The hub finds nothing wrong, and neither does git in a new clone."""
    assert clone.git.hub.fsck("--repo", repo, "--deep") == []
    return clone.git.clone(repo, into=f"again-{secrets.token_hex(4)}").is_sound()


def paths_of(plain: Plain, repo: str, revision: str = "main") -> dict[str, str]:
    """Every path below the root, and the commit that last changed it."""
    target = f"/api/models/{repo}/tree/{revision}?recursive=true&expand=true"
    return {entry["path"]: entry["lastCommit"]["id"] for entry in plain("GET", target).json}


def test_a_pushed_file_is_there_for_everybody(clone: Clone, repo: str, plain: Plain) -> None:
    head = write(clone, a__b="hello")

    clone("push", "--quiet")

    api = HfApi(clone.git.hub.url, token=clone.git.hub.token("ada"))
    assert sorted(api.list_repo_files(repo)) == [".gitattributes", "a/b"]
    assert api.list_repo_commits(repo)[0].commit_id == head
    assert plain("GET", f"/{repo}/resolve/main/a/b").body == b"hello"
    assert is_whole(clone, repo)


def test_a_push_and_a_commit_by_the_api_are_one_history(
    clone: Clone, repo: str, plain: Plain
) -> None:
    write(clone, one="1")
    clone("push", "--quiet")
    made = plain.commit(repo, file("two", "2")).json["commitOid"]
    clone("pull", "--quiet")
    write(clone, three="3")
    clone("push", "--quiet")

    titles = [commit["title"] for commit in plain("GET", f"/api/models/{repo}/commits/main").json]

    assert titles == ["Change three", "Change", "Change one", "initial commit"]
    assert paths_of(plain, repo)["two"] == made
    assert is_whole(clone, repo)


def test_a_thousand_files_land_in_one_push(clone: Clone, repo: str, plain: Plain) -> None:
    for number in range(1000):
        path = clone.folder / f"d{number % 10}" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number}\n" * 20)
    head = write(clone, top="x")

    clone("push", "--quiet")

    found = paths_of(plain, repo)
    assert len(found) == 1000
    assert {commit for path, commit in found.items() if path != ".gitattributes"} == {head}
    assert is_whole(clone, repo)


def test_the_last_commit_of_each_path_is_what_git_says(
    clone: Clone, repo: str, plain: Plain
) -> None:
    for number in range(40):
        changed = {f"d{number % 3}__{number % 7}": f"{number}", f"f{number % 5}": f"{number}"}
        write(clone, **changed)
        if number % 9 == 8:
            clone("rm", "--quiet", "-r", f"f{number % 5}")
            clone("commit", "--quiet", "--message", "Delete")

    clone("push", "--quiet")

    found = paths_of(plain, repo)
    assert len(found) > 20
    for path, commit in found.items():
        assert commit == clone("log", "-1", "--format=%H", "--", path), path
    assert is_whole(clone, repo)


def test_a_new_branch_is_pushed_and_deleted(clone: Clone, repo: str) -> None:
    clone("switch", "--quiet", "--create", "dev/one")
    head = write(clone, new="x")

    clone("push", "--quiet", "origin", "dev/one")
    pushed = refs(clone)
    clone("push", "--quiet", "origin", "--delete", "dev/one")

    assert pushed["refs/heads/dev/one"] == head
    assert "refs/heads/dev/one" not in refs(clone)
    assert is_whole(clone, repo)


def test_tags_are_pushed_plain_and_annotated(clone: Clone, repo: str, plain: Plain) -> None:
    head = write(clone, a="1")
    clone("tag", "light")
    clone("tag", "--annotate", "heavy", "--message", "Version 1")

    clone("push", "--quiet", "--tags", "origin", "main")

    told = plain("GET", f"/api/models/{repo}/refs").json["tags"]
    assert {tag["name"]: tag["targetCommit"] for tag in told} == {"light": head, "heavy": head}
    assert plain("GET", f"/{repo}/resolve/heavy/a").body == b"1"
    assert is_whole(clone, repo)


def test_a_tag_of_a_tag_comes_to_its_commit(clone: Clone, repo: str, plain: Plain) -> None:
    head = write(clone, a="1")
    clone("tag", "--annotate", "inner", "--message", "Version 1")
    clone("push", "--quiet", "origin", "main", "main:passing")
    clone("tag", "--annotate", "outer", "inner", "--message", "Checked")
    clone("push", "--quiet", "origin", "outer")
    clone("tag", "--annotate", "outermost", "outer", "--message", "Checked twice")
    clone("push", "--quiet", "origin", "outermost")
    clone("push", "--quiet", "origin", "--delete", "passing")
    clone.git.hub.manage("hub_gc")

    told = plain("GET", f"/api/models/{repo}/refs").json["tags"]
    assert {tag["name"]: tag["targetCommit"] for tag in told} == {"outer": head, "outermost": head}
    assert plain("GET", f"/{repo}/resolve/outermost/a").body == b"1"
    assert clone("ls-remote", "origin", "outermost^{}").split()[0] == head
    assert is_whole(clone, repo)


def test_a_chain_of_tags_has_an_end(clone: Clone) -> None:
    write(clone, a="1")
    clone("tag", "--annotate", "t0", "--message", "x")
    for number in range(10):
        clone("tag", "--annotate", f"t{number + 1}", f"t{number}", "--message", "x")

    clone("push", "--quiet", "origin", "main", "t9")

    assert "a tag of more than 10 tags" in refused(clone, "origin", "t10")


def test_a_merge_is_seen_from_its_first_parent(clone: Clone, repo: str, plain: Plain) -> None:
    write(clone, base="1")
    clone("switch", "--quiet", "--create", "side")
    write(clone, side="1")
    write(clone, side="2")
    clone("switch", "--quiet", "main")
    write(clone, main="1")
    clone("merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    after = write(clone, main="2")

    clone("push", "--quiet", "origin", "main")
    clone("push", "--quiet", "origin", "side")

    found = paths_of(plain, repo)
    merge = clone("rev-parse", "HEAD^")
    assert (found["side"], found["main"]) == (merge, after)
    assert paths_of(plain, repo, "side")["side"] == clone("rev-parse", "side")
    assert len(plain("GET", f"/api/models/{repo}/commits/main").json) == 5
    assert is_whole(clone, repo)


def test_a_forced_push_rewrites_a_branch(clone: Clone, repo: str, plain: Plain) -> None:
    write(clone, a="1")
    write(clone, b="1")
    clone("push", "--quiet")
    clone("reset", "--quiet", "--hard", "HEAD~1")
    head = write(clone, c="1")

    assert "fetch first" in refused(clone) or "non-fast-forward" in refused(clone)
    clone("push", "--quiet", "--force")

    assert set(paths_of(plain, repo)) == {".gitattributes", "a", "c"}
    assert refs(clone)["refs/heads/main"] == head
    assert is_whole(clone, repo)


def test_another_history_takes_the_place_of_the_first(git: Git, repo: str, plain: Plain) -> None:
    (git.folder / "own").mkdir()
    own = Clone(git, git.folder / "own")
    own("init", "--quiet", "--initial-branch", "main", ".")
    head = write(own, mine="1")

    own("push", "--quiet", "--force", git.url(repo), "main")

    assert paths_of(plain, repo) == {"mine": head}
    assert is_whole(own, repo)


def test_a_stale_push_is_refused(git: Git, clone: Clone, repo: str, plain: Plain) -> None:
    here = clone("rev-parse", "HEAD")
    plain.commit(repo, file("other", "x"))
    new = write(clone, mine="1")

    answer = push_by_hand(plain, repo, clone, (here, new, "refs/heads/main"))

    assert b"ng refs/heads/main fetch first" in answer
    assert "mine" not in paths_of(plain, repo)


def push_by_hand(plain: Plain, repo: str, clone: Clone, *updates: tuple[str, str, str]) -> bytes:
    """Move refs from where nobody asks whether they are there."""
    news = [new for _old, new, _ref in updates if int(new, 16)]
    data = subprocess.run(
        ["git", "pack-objects", "--stdout", "--revs"],
        cwd=clone.folder,
        input="\n".join(news).encode() + b"\n",
        capture_output=True,
        check=True,
    ).stdout
    answer = plain("POST", f"/{repo}/git-receive-pack", commands(*updates) + data, headers=PUSHED)
    assert answer.status == 200, answer
    return answer.body


def commands(*updates: tuple[str, str, str]) -> bytes:
    lines = [" ".join(update).encode() for update in updates]
    lines[0] += b"\0 report-status side-band-64k"
    return b"".join(map(packet, lines)) + Mark.FLUSH.value


def test_of_two_refs_one_of_which_is_bad_none_is_moved(
    clone: Clone, repo: str, plain: Plain
) -> None:
    here = clone("rev-parse", "HEAD")
    new = write(clone, a="1")
    wrong, nothing = "1" * 40, "0" * 40
    updates = (here, new, "refs/heads/main"), (wrong, new, "refs/heads/dev")

    answer = push_by_hand(plain, repo, clone, *updates)
    told = refused(clone, "origin", "main", f"{new}:refs/notes/x")

    assert b"ng refs/heads/dev fetch first" in answer
    assert b"ng refs/heads/main another ref was refused" in answer
    assert "refs/notes/x (not allowed" in told
    assert refs(clone)["refs/heads/main"] == here
    ok = push_by_hand(plain, repo, clone, updates[0], (nothing, new, "refs/heads/dev"))
    assert b"ok refs/heads/main" in ok


def test_some_refs_cannot_be_pushed(clone: Clone, repo: str) -> None:
    write(clone, a="1")

    assert "only branches, tags and pull" in refused(clone, "origin", "HEAD:refs/convert/x")
    assert "no such pull request" in refused(clone, "origin", "HEAD:refs/pr/1")
    assert "default branch" in refused(clone, "origin", "--delete", "main")
    clone("push", "--quiet", "origin", "HEAD:refs/heads/dev")
    assert "in the way" in refused(clone, "origin", "HEAD:refs/heads/dev/one")
    assert "not a commit" in refused(clone, "origin", tag_object(clone) + ":refs/heads/tagged")
    assert set(refs(clone)) == {"HEAD", "refs/heads/dev", "refs/heads/main"}


def tag_object(clone: Clone) -> str:
    clone("tag", "--annotate", "heavy", "--message", "Version 1")
    return clone("rev-parse", "heavy")


def test_a_large_file_goes_by_lfs(clone: Clone, repo: str, plain: Plain) -> None:
    need_git_lfs()
    content = os.urandom(20_000_000)
    clone("lfs", "install", "--local")
    (clone.folder / "weights.bin").write_bytes(content)
    head = write(clone, small="x")

    clone("push", "--quiet")

    assert clone("show", "HEAD:weights.bin") == pointer(content).strip()
    answer = plain("GET", f"/{repo}/resolve/{head}/weights.bin")
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(content).digest()
    assert is_whole(clone, repo)


def pointer(content: bytes) -> str:
    return POINTER.format(hashlib.sha256(content).hexdigest(), len(content))


def test_a_pointer_to_what_was_not_uploaded_is_refused(clone: Clone, repo: str) -> None:
    here = refs(clone)
    write(clone, models__weights=pointer(b"never seen"))

    told = refused(clone)

    assert "models/weights: the object" in told
    assert "git lfs push --all" in told
    assert refs(clone) == here


def test_a_pointer_to_a_strangers_private_file_is_refused(
    git: Git, plain: Plain, repo: str, clone: Clone
) -> None:
    need_git_lfs()
    content = os.urandom(1000)
    hidden = f"cleo/hidden-{secrets.token_hex(4)}"
    plain("POST", "/api/repos/create", {"name": hidden, "private": True}, who="cleo")
    theirs = replace(git, who="cleo").clone(hidden, into="theirs")
    theirs("lfs", "install", "--local")
    (theirs.folder / "secret.bin").write_bytes(content)
    write(theirs, a="1")
    theirs("push", "--quiet")

    write(clone, stolen=pointer(content))

    assert "was not uploaded to this repo" in refused(clone)


def test_a_pointer_with_another_size_is_refused(clone: Clone, plain: Plain, repo: str) -> None:
    need_git_lfs()
    content = os.urandom(1000)
    clone("lfs", "install", "--local")
    (clone.folder / "weights.bin").write_bytes(content)
    write(clone, a="1")
    clone("push", "--quiet")

    write(clone, lie=pointer(content).replace("size 1000", "size 9"))

    assert "was not uploaded" in refused(clone, "--no-verify")


def test_a_large_file_without_lfs_is_refused_with_advice(clone: Clone) -> None:
    (clone.folder / "folder").mkdir()
    (clone.folder / "folder" / "big").write_bytes(os.urandom(11_000_000))
    write(clone, small="x")

    told = refused(clone)

    assert "folder/big has 11,000,000 bytes" in told
    assert "git lfs migrate import" in told


def make_commit(clone: Clone, tree: bytes) -> str:
    """A commit of a tree that git itself would not write."""
    oid = piped(clone, tree, "hash-object", "-w", "-t", "tree", "--literally", "--stdin")
    return clone("commit-tree", oid, "-p", "HEAD", "-m", "Bad")


def piped(clone: Clone, stdin: bytes, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=clone.folder, input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b".git", "taken for '.git'"),
        (b"..", "'.' or '..'"),
        (b"GIT~1", "taken for '.git'"),
        (".g\u200cit".encode(), "taken for '.git'"),
        (b"caf\xe9", "not UTF-8"),
        (b"x" * 300, "longer than 255"),
        (b"back\\slash", "a backslash or a control character"),
        (b"line\nend", "a backslash or a control character"),
        ("\u202etxt.exe".encode(), "changes the direction of text"),
    ],
)
def test_a_bad_name_is_refused(clone: Clone, name: bytes, why: str) -> None:
    blob = bytes.fromhex(piped(clone, b"x", "hash-object", "-w", "--stdin"))
    bad = make_commit(clone, b"100644 " + name + b"\0" + blob)

    assert why in refused(clone, "origin", f"{bad}:refs/heads/main")


@pytest.mark.parametrize("name", ["a 100% ?#", "süß.txt", "con", "-x", "a'b\"c", "#;&=+:@", "..."])
def test_a_name_that_is_taken_can_be_listed_and_resolved(
    clone: Clone, repo: str, plain: Plain, name: str
) -> None:
    blob = bytes.fromhex(piped(clone, b"x", "hash-object", "-w", "--stdin"))
    odd = make_commit(clone, b"100644 " + name.encode() + b"\0" + blob)

    clone("push", "--quiet", "origin", f"{odd}:refs/heads/main")

    assert paths_of(plain, repo) == {name: odd}
    assert plain("GET", f"/{repo}/resolve/main/{quote(name)}").body == b"x"
    assert is_whole(clone, repo)


def test_links_and_submodules_are_taken(clone: Clone, repo: str, plain: Plain) -> None:
    (clone.folder / "link").symlink_to("target")
    clone("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    clone("add", "link")
    clone("commit", "--quiet", "--message", "Links")

    clone("push", "--quiet")

    assert set(paths_of(plain, repo)) == {".gitattributes", "link", "module"}
    assert is_whole(clone, repo)


@pytest.fixture
def long_history(clone: Clone) -> Clone:
    """More commits than a push looks at one by one."""
    stream = "reset refs/heads/main\n\n" + "".join(
        f"commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + number} +0000\ndata 1\nm\n"
        f"M 100644 inline folder/file\ndata {len(str(number))}\n{number}\n"
        for number in range(INDEXED_AT_ONCE + 10)
    )
    piped(clone, stream.encode(), "fast-import", "--quiet", "--force")
    return clone


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd"])
def test_a_link_that_a_long_push_takes_back_is_seen(long_history: Clone, target: str) -> None:
    link = f"M 120000 inline link\ndata {len(target)}\n{target}\n"
    head = "commit refs/heads/main\ncommitter A <a@b> 1800000000 +0000\ndata 1\nm\n"
    first = f"{head}from refs/heads/main^0\n{link}"
    piped(long_history, f"{first}{head}D link\n".encode(), "fast-import", "--quiet")

    assert "The symbolic link link is refused" in refused(long_history, "--force", "origin", "main")


def test_a_folder_of_links_that_a_long_push_moves_is_seen(
    long_history: Clone, repo: str, plain: Plain
) -> None:
    commit = "commit refs/heads/{}\ncommitter A <a@b> 1800000000 +0000\ndata 1\nm\n".format
    deep = f"{commit('deep')}M 120000 inline a/b/link\ndata 5\n../up\n"
    piped(long_history, f"{deep}".encode(), "fast-import", "--quiet")
    long_history("push", "--quiet", "origin", "deep")
    inner = long_history("rev-parse", "deep:a/b")
    moved = f'{commit("main")}from refs/heads/main^0\nM 040000 {inner} ""\n{commit("main")}D link\n'
    piped(long_history, moved.encode(), "fast-import", "--quiet")

    assert "The symbolic link link is refused" in refused(long_history, "--force", "origin", "main")


def test_a_copy_of_a_link_may_not_lead_out(clone: Clone, repo: str, plain: Plain) -> None:
    (clone.folder / "a" / "b").mkdir(parents=True)
    (clone.folder / "a" / "b" / "link").symlink_to("../up")
    clone("add", "--all")
    clone("commit", "--quiet", "--message", "Link")
    clone("push", "--quiet")

    copies = {
        path: plain.commit(repo, ("copyFile", {"path": path, "srcPath": source}))
        for path, source in (("c/link", "a/b/link"), ("link", "a/b/link"), ("a/c", "a/b"))
    }

    assert copies["c/link"].status == 200
    assert copies["link"].status == 422
    assert "leads out of the repo" in copies["link"].json["error"]
    assert copies["a/c"].status == 404
    assert set(paths_of(plain, repo)) >= {"a/b/link", "c/link"}
    assert "link" not in paths_of(plain, repo)


def test_a_tree_of_endless_paths_is_refused(clone: Clone) -> None:
    tree = piped(clone, b"x", "hash-object", "-w", "--stdin")
    mode = "100644 blob"
    for _ in range(12):
        lines = "".join(f"{mode} {tree}\t{number}\n" for number in range(10))
        tree, mode = piped(clone, lines.encode(), "mktree"), "040000 tree"
    bomb = clone("commit-tree", tree, "-p", "HEAD", "-m", "Bomb")

    assert "changes more than" in refused(clone, "origin", f"{bomb}:refs/heads/main")


def test_what_is_missing_is_noticed(clone: Clone, repo: str, plain: Plain) -> None:
    here = clone("rev-parse", "HEAD")
    new = write(clone, a="1")
    body = commands((here, new, "refs/heads/main")) + pack([])

    answer = plain("POST", f"/{repo}/git-receive-pack", body, headers=PUSHED)

    assert b"unpack Objects are neither in the push nor in the repo" in answer.body
    assert b"ng refs/heads/main the push was refused" in answer.body


def test_a_cut_push_lands_nothing(clone: Clone, repo: str, plain: Plain) -> None:
    here = clone("rev-parse", "HEAD")
    new = write(clone, a="1")
    data = subprocess.run(
        ["git", "pack-objects", "--stdout", "--revs"],
        cwd=clone.folder,
        input=f"{new}\n".encode(),
        capture_output=True,
        check=True,
    ).stdout
    whole = commands((here, new, "refs/heads/main")) + data

    for end in range(100, len(whole), 40):
        answer = plain("POST", f"/{repo}/git-receive-pack", whole[:end], headers=PUSHED)
        assert answer.status in {200, 400}
        assert b"ok refs" not in answer.body
    assert refs(clone)["refs/heads/main"] == here


def test_an_empty_push_is_a_probe(plain: Plain, repo: str) -> None:
    answer = plain("POST", f"/{repo}/git-receive-pack", b"0000", headers=PUSHED)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "application/x-git-receive-pack-result"


@pytest.mark.parametrize("body", [b"nope", b"0009hello", b"ffff", b"0008abcd0000"])
def test_what_is_no_push_is_refused(plain: Plain, repo: str, body: bytes) -> None:
    assert plain("POST", f"/{repo}/git-receive-pack", body, headers=PUSHED).status == 400


def test_a_push_needs_a_token_that_may_write(hub: LiveServer, plain: Plain, repo: str) -> None:
    tokens = {"reader": hub.token("ada", "read"), "": "", "cleo": hub.token("cleo")}
    asking = Plain(hub.url, tokens)
    statuses = {
        who: [
            asking("GET", f"/{repo}/info/refs?service=git-receive-pack", who=who).status,
            asking("POST", f"/{repo}/git-receive-pack", b"0000", who=who, headers=PUSHED).status,
        ]
        for who in tokens
    }

    assert statuses == {"reader": [403, 403], "": [401, 401], "cleo": [403, 403]}
    challenge = asking("POST", f"/{repo}/git-receive-pack", b"0000", who="", headers=PUSHED)
    assert challenge.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_long_push_is_indexed_by_the_job(git: Git, plain: Plain) -> None:
    repo = plain.create(f"ada/push-{secrets.token_hex(4)}")
    clone = git.clone(repo)
    many = "".join(stream(number) for number in range(2000))
    piped(clone, many.encode(), "fast-import", "--quiet", "--force")

    clone("push", "--quiet", "--force", "origin", "main")

    target = f"/api/models/{repo}/tree/main?expand=true"
    before = plain("GET", target).json
    assert {entry["lastCommit"] is None for entry in before} == {True}
    assert (
        plain("GET", f"/api/models/{repo}/commits/main?limit=1").headers["X-Total-Count"] == "2000"
    )
    assert git.hub.fsck("--repo", repo, "--deep") == []
    index(git.hub)
    for path, commit in paths_of(plain, repo).items():
        assert commit == clone("log", "-1", "--format=%H", "main", "--", path)
    assert is_whole(clone, repo)


def stream(number: int) -> str:
    """One commit as git fast-import reads it."""
    text = f"{number}\n"
    origin = "reset refs/heads/main\n\n" if number == 0 else ""
    return (
        f"{origin}commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + number} +0000\n"
        f"data 1\nm\nM 100644 inline d{number % 40}/{number % 13}.txt\ndata {len(text)}\n{text}\n"
    )


def index(hub: LiveServer) -> None:
    """Do what a worker does."""
    hub.manage("shell", "-c", "from hub.services.indexing import index_pending; index_pending()")
