from pathlib import Path

import pytest

from hub.errors import BlobNotFound, EntryNotFound, RevisionNotFound, StaleParent
from hub.models import Repo
from hub.names import ROOT, EntryPath, RevisionName
from hub.queries import history, trees
from hub.services import commits, refs
from hub.services.commits import (
    CopyFile,
    DeleteFile,
    DeleteFolder,
    Message,
    Operation,
    PutFile,
    PutLarge,
)
from teams.errors import TooLarge
from tests.cast import Cast, signed_in
from tests.hub.services.git_export import export, run

pytestmark = pytest.mark.django_db
MAIN = RevisionName("main")


def land(cast: Cast, repo: Repo, *operations: Operation, parent: str = "", on: str = "main") -> str:
    return commits.commit(
        repo=repo,
        branch=RevisionName(on),
        operations=operations,
        message=Message("a change", "and why"),
        by=signed_in(cast.ada),
        parent=parent,
    ).hex()


def put(path: str, content: bytes = b"x") -> PutFile:
    return PutFile(EntryPath.parse(path), content)


def files_of(repo: Repo, revision: str = "main") -> dict[str, bytes | None]:
    commit = history.resolve(repo, RevisionName(revision))
    return {
        found.path: trees.read_file(repo.pk, commit, EntryPath(found.path))
        for found in trees.list_all(repo.pk, commit, ROOT)
        if not found.is_folder and found.path != ".gitattributes"
    }


def test_a_commit_adds_replaces_copies_and_deletes_in_order(cast: Cast) -> None:
    repo = cast.repo()
    land(cast, repo, put("a/b/one.txt", b"1"), put("a/two.txt", b"2"), put("gone/x"))

    land(
        cast,
        repo,
        put("a/two.txt", b"22"),
        CopyFile(EntryPath("c.txt"), EntryPath("a/b/one.txt")),
        DeleteFolder(EntryPath("gone")),
        DeleteFile(EntryPath("a/b/one.txt")),
    )

    assert files_of(repo) == {"a/two.txt": b"22", "c.txt": b"1"}


def test_the_real_git_accepts_every_object(cast: Cast, tmp_path: Path) -> None:
    repo = cast.repo()
    for number in range(60):
        land(
            cast, repo, *(put(f"d{n % 7}/f{n}.txt", b"%d" % n) for n in range(number, number + 30))
        )
    refs.create_tag(
        repo=repo, tag=RevisionName("v1"), target=history.resolve(repo, MAIN), message="m", by=None
    )

    folder = export(repo, tmp_path)

    run(folder, "fsck", "--strict", "--full")
    assert len(run(folder, "log", "--format=%H", "main").split()) == 61
    assert run(folder, "show", "main:d0/f84.txt") == "84"


def test_last_commit_of_each_path_is_the_one_that_git_finds(cast: Cast, tmp_path: Path) -> None:
    repo = cast.repo()
    for number in range(25):
        land(cast, repo, put(f"f{number % 6}.txt", b"%d" % number), put(f"d/{number}", b"y"))
    folder = export(repo, tmp_path)
    head = history.resolve(repo, MAIN)
    names = [entry.name for entry in trees.list_folder(repo.pk, head, ROOT)]

    found = history.last_commits(repo.pk, head, "", names)

    expected = {n: run(folder, "log", "-1", "--format=%H", "main", "--", n).strip() for n in names}
    assert {name: last.oid.hex() for name, last in found.items()} == expected


def test_last_commits_of_a_branch_reach_back_into_the_line_that_it_left(cast: Cast) -> None:
    repo = cast.repo()
    first = land(cast, repo, put("old"))
    refs.create_branch(
        repo=repo, branch=RevisionName("dev"), start=history.resolve(repo, MAIN), by=None
    )
    land(cast, repo, put("on-main"))
    second = land(cast, repo, put("on-dev"), on="dev")
    dev = history.resolve(repo, RevisionName("dev"))

    found = history.last_commits(repo.pk, dev, "", ["old", "on-dev"])

    assert {name: last.oid.hex() for name, last in found.items()} == {
        "old": first,
        "on-dev": second,
    }
    assert [row.oid.hex() for row in history.log(repo.pk, dev, 2)] == [second, first]
    assert history.count(repo.pk, dev) == 3


def test_a_change_that_changes_nothing_makes_no_commit(cast: Cast) -> None:
    repo = cast.repo()
    head = land(cast, repo, put("a.txt", b"1"))

    again = land(cast, repo, put("a.txt", b"1"))

    assert again == head


def test_a_stale_parent_is_refused_and_nothing_changes(cast: Cast) -> None:
    repo = cast.repo()
    old = land(cast, repo, put("a.txt"))
    land(cast, repo, put("b.txt"))

    with pytest.raises(StaleParent):
        land(cast, repo, put("c.txt"), parent=old[:7])

    assert set(files_of(repo)) == {"a.txt", "b.txt"}


@pytest.mark.parametrize(
    ("operation", "refusal"),
    [
        (DeleteFile(EntryPath("missing")), EntryNotFound),
        (DeleteFolder(EntryPath("missing")), EntryNotFound),
        (CopyFile(EntryPath("a"), EntryPath("missing")), EntryNotFound),
        (PutLarge(EntryPath("w.bin"), bytes(32), 5), BlobNotFound),
        (PutFile(EntryPath("big"), bytes(commits.MAX_FILE_BYTES + 1)), TooLarge),
    ],
)
def test_an_impossible_operation_refuses_the_whole_commit(
    cast: Cast, operation: Operation, refusal: type[Exception]
) -> None:
    repo = cast.repo()

    with pytest.raises(refusal):
        land(cast, repo, put("a.txt"), operation)

    assert files_of(repo) == {}


def test_a_pointer_as_text_needs_the_same_proof_as_a_large_file(cast: Cast) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 5\n" % (b"ab" * 32)

    with pytest.raises(BlobNotFound):
        land(cast, cast.repo(), put("w.bin", pointer))


def test_a_missing_branch_is_a_missing_revision(cast: Cast) -> None:
    with pytest.raises(RevisionNotFound):
        land(cast, cast.repo(), put("a"), on="nope")


def test_squash_leaves_one_commit_with_the_same_files(cast: Cast, tmp_path: Path) -> None:
    repo = cast.repo()
    land(cast, repo, put("a"), put("d/b"))
    before = files_of(repo)

    oid = refs.squash(repo=repo, branch=MAIN, message="all at once", by=cast.ada)

    head = history.resolve(repo, MAIN)
    assert (head.oid, history.count(repo.pk, head), head.title) == (oid, 1, "all at once")
    assert files_of(repo) == before
    assert set(history.last_commits(repo.pk, head, "d", ["b"])) == {"b"}
    run(export(repo, tmp_path), "fsck", "--strict", "--full")
