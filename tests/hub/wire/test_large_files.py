import hashlib
from typing import Any

import pytest
from django.test import Client

from hub.errors import EntryNotFound
from hub.models import PurgedFile, Repo
from hub.names import EntryPath, RevisionName
from hub.queries import history, trees
from hub.queries.content import content_of, large_content
from hub.queries.discussions import discussion_of
from hub.queries.pull_requests import compare
from hub.services import commits, discussions, pull_requests
from hub.services.commits import Message, PutFile, PutLarge
from tests.cast import Cast, signed_in
from tests.hub.wire.callers import XetCaller, caller, put_lfs
from tests.hub.xet.samples import cut, lcg

pytestmark = pytest.mark.django_db

ONE, TWO = lcg(8192, 2), lcg(100_000, 3)
CHUNKS = list(cut(TWO, (50_000, 50_000)))


def land(cast: Cast, repo: Repo, path: str, body: bytes) -> None:
    commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutLarge(EntryPath(path), hashlib.sha256(body).digest(), len(body))],
        message=Message(f"Add {path}"),
        by=signed_in(cast.ada),
    )


@pytest.fixture
def ada(cast: Cast) -> Client:
    return caller(cast.ada)


@pytest.fixture
def repo(cast: Cast, ada: Client) -> Repo:
    """A repo with one file of each form, both in a folder of main."""
    made = cast.repo()
    put_lfs(ada, made, ONE)
    XetCaller(ada, made).put_file(CHUNKS)
    land(cast, made, "w/one.bin", ONE)
    land(cast, made, "w/two.bin", TWO)
    return made


def paths_of(repo: Repo) -> set[str]:
    head = history.resolve(repo, RevisionName("main"))
    return {entry.path for entry in trees.list_all(repo.pk, head, EntryPath(""))}


def test_both_forms_read_the_same_way(repo: Repo) -> None:
    head = history.resolve(repo, RevisionName("main"))

    for path, body in (("w/one.bin", ONE), ("w/two.bin", TWO)):
        found = content_of(repo, trees.entry_facts(repo.pk, head, EntryPath(path)))
        assert (found.size, b"".join(found.read(0, found.size))) == (len(body), body)
        assert b"".join(found.read(7000, 8000)) == body[7000:8000]


def test_a_file_of_both_forms_is_read_as_one_blob(ada: Client, repo: Repo) -> None:
    XetCaller(ada, repo).put_file([ONE])

    assert large_content(repo, hashlib.sha256(ONE).digest(), "x").key


def test_large_files_are_listed_with_their_places(ada: Client, repo: Repo) -> None:
    rows = {row["filename"]: row for row in ada.get(f"/api/models/{repo}/lfs-files").json()}

    assert rows.keys() == {"w/one.bin", "w/two.bin"}
    two = rows["w/two.bin"]
    assert two["oid"] == two["fileOid"] == hashlib.sha256(TWO).hexdigest()
    assert (two["size"], two["ref"]) == (len(TWO), "refs/heads/main")
    assert two["pushedAt"].endswith("Z")
    assert "xetHash" in two
    assert "xetHash" not in rows["w/one.bin"]


def test_the_list_has_pages(ada: Client, repo: Repo) -> None:
    first = ada.get(f"/api/models/{repo}/lfs-files?limit=1")
    link = first["Link"].partition(">")[0].removeprefix("<http://testserver")
    second = ada.get(link)

    assert len(first.json()) == len(second.json()) == 1
    assert first.json() != second.json()
    assert "Link" not in second


def purge(client: Client, repo: Repo, *bodies: bytes) -> Any:
    shas = [hashlib.sha256(body).hexdigest() for body in bodies]
    deletions = {"sha": shas, "rewriteHistory": True}
    return client.post(
        f"/api/models/{repo}/lfs-files/batch", {"deletions": deletions}, "application/json"
    )


def test_what_was_deleted_for_good_is_gone_from_branches_and_from_reach(
    ada: Client, repo: Repo
) -> None:
    assert purge(ada, repo, ONE, TWO).status_code == 200

    assert paths_of(repo) == {".gitattributes"}
    assert ada.get(f"/api/models/{repo}/lfs-files").json() == []
    assert PurgedFile.objects.filter(repo=repo).count() == 2
    for body in (ONE, TWO):
        with pytest.raises(EntryNotFound):
            large_content(repo, hashlib.sha256(body).digest(), "x")


def test_history_is_rewritten_below_pull_requests_whatever_became_of_them(
    cast: Cast, ada: Client, repo: Repo
) -> None:
    by = signed_in(cast.ada)
    for title in ("Merged", "Closed", "Open"):
        pull_requests.propose(
            repo=repo,
            branch=RevisionName("main"),
            operations=[PutFile(EntryPath(f"{title}.txt"), title.encode())],
            message=Message(title),
            by=by,
        )
    merged, closed, waiting = (discussion_of(repo, num) for num in (1, 2, 3))
    pull_requests.merge_pull_request(discussion=merged, by=by)
    discussions.change_status(discussion=closed, status="closed", by=by)

    assert purge(ada, repo, ONE).status_code == 200

    heads = {ref: history.resolve(repo, RevisionName(ref)).oid for ref in ("main", "refs/pr/3")}
    told = [discussion_of(repo, num) for num in (1, 2, 3)]
    assert bytes(told[0].merge_commit or b"") == heads["main"]
    assert bytes(told[2].head or b"") == heads["refs/pr/3"]
    assert [one.status for one in told] == ["merged", "closed", "open"]
    assert [[file.path for file in compare(one).files] for one in told] == [
        ["Merged.txt"],
        ["Closed.txt"],
        ["Open.txt"],
    ]
    assert pull_requests.merge_pull_request(discussion=waiting, by=by).status == "merged"


def test_what_one_repo_deleted_another_keeps(cast: Cast, ada: Client, repo: Repo) -> None:
    other = cast.repo("ada/other")
    land(cast, other, "one.bin", ONE)

    purge(ada, repo, ONE)

    assert large_content(other, hashlib.sha256(ONE).digest(), "x").size == len(ONE)


def test_a_stranger_deletes_nothing(cast: Cast, repo: Repo) -> None:
    assert purge(caller(cast.cleo), repo, ONE).status_code == 403
    assert "w/one.bin" in paths_of(repo)


def duplicate(client: Client, source: Repo, target: str, *bodies: bytes) -> Any:
    files = [{"sha256": hashlib.sha256(body).hexdigest(), "filename": "x"} for body in bodies]
    body = {"target": {"type": "model", "name": target}, "files": files}
    return client.post(f"/api/models/{source}/lfs-files/duplicate", body, "application/json")


def test_files_are_lent_to_another_repo(cast: Cast, ada: Client, repo: Repo) -> None:
    other = cast.repo("ada/other")

    answer = duplicate(ada, repo, "ada/other", ONE, TWO, b"never seen")

    assert [row["sha256"] for row in answer.json()["failed"]] == [
        hashlib.sha256(b"never seen").hexdigest()
    ]
    assert large_content(other, hashlib.sha256(TWO).digest(), "x").size == len(TWO)


def test_files_are_lent_only_by_readers_to_writers(cast: Cast, ada: Client, repo: Repo) -> None:
    cast.repo("ada/other")
    secret = cast.repo("ada/hidden", private=True)
    cast.repo("cleo/own")
    cleo = caller(cast.cleo)

    assert duplicate(cleo, repo, "ada/other", ONE).status_code == 403
    assert duplicate(cleo, secret, "cleo/own", ONE).status_code == 404
