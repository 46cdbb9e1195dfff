import hashlib
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from hub.crashpoints import Point
from hub.models import Blob, Repo, RepoBlob
from hub.queries.store import blob_store
from hub.services import blobs, uploads
from hub.storage.digests import lfs_key
from tests.cast import Cast
from tests.hub.storage.storage_contract import staged_names
from tests.hub.wire.callers import batch, caller, content, put_lfs
from tests.hub.xet.samples import lcg

pytestmark = pytest.mark.django_db

BODY = lcg(100_000, 3)
SHA256 = hashlib.sha256(BODY)
OID = SHA256.hexdigest()


def upload_link(client: Client, repo: Repo, oid: str = OID, size: int = len(BODY)) -> str:
    link: str = batch(client, repo, "upload", [(oid, size)])["objects"][0]["actions"]["upload"][
        "href"
    ]
    return link


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
@pytest.mark.parametrize("suffix", ["", ".git"])
def test_a_large_file_goes_up_and_comes_down(cast: Cast, kind: str, suffix: str) -> None:
    repo, ada = cast.repo("ada/some", kind=kind), caller(cast.ada)

    put_lfs(ada, repo, BODY)
    answer = ada.post(
        f"{repo.url}{suffix}/info/lfs/objects/batch",
        {"operation": "download", "objects": [{"oid": OID, "size": len(BODY)}]},
        content_type="application/json",
    )

    href = answer.json()["objects"][0]["actions"]["download"]["href"]
    assert answer["Content-Type"] == "application/vnd.git-lfs+json"
    assert content(Client().get(href)) == BODY


def test_a_range_of_a_download_can_be_asked_for(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    put_lfs(ada, repo, BODY)
    link = batch(ada, repo, "download", [(OID, len(BODY))])["objects"][0]["actions"]["download"]

    part = Client().get(link["href"], headers={"Range": "bytes=-10"})

    assert (part.status_code, content(part)) == (206, BODY[-10:])


def test_what_the_repo_holds_is_not_asked_for_again(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    put_lfs(ada, repo, BODY)

    again = batch(ada, repo, "upload", [(OID, len(BODY))])

    assert again["objects"] == [{"oid": OID, "size": len(BODY)}]


def test_what_another_readable_repo_holds_is_lent(cast: Cast) -> None:
    first, second, ada = cast.repo("ada/one", private=True), cast.repo("ada/two"), caller(cast.ada)
    put_lfs(ada, first, BODY)

    again = batch(ada, second, "upload", [(OID, len(BODY))])

    assert "actions" not in again["objects"][0]
    assert RepoBlob.objects.filter(repo=second, blob_id=SHA256.digest()).exists()


def test_knowing_a_digest_gives_nobody_the_bytes(cast: Cast) -> None:
    secret, own = cast.repo("ada/secret", private=True), cast.repo("cleo/own")
    put_lfs(caller(cast.ada), secret, BODY)
    cleo = caller(cast.cleo)

    up = batch(cleo, own, "upload", [(OID, len(BODY))])
    down = batch(cleo, own, "download", [(OID, len(BODY))])

    assert "upload" in up["objects"][0]["actions"]
    assert down["objects"][0]["error"]["code"] == 404
    assert not RepoBlob.objects.filter(repo=own).exists()


def test_who_shows_the_bytes_holds_them_like_the_first(cast: Cast) -> None:
    secret, own = cast.repo("ada/secret", private=True), cast.repo("cleo/own")
    put_lfs(caller(cast.ada), secret, BODY)

    put_lfs(caller(cast.cleo), own, BODY)

    assert Blob.objects.count() == 1
    assert RepoBlob.objects.count() == 2


@pytest.mark.parametrize("wrong", [BODY[:-1] + b"x", BODY[:-1], BODY + b"x", b""])
def test_bytes_that_are_not_the_announced_ones_are_not_kept(cast: Cast, wrong: bytes) -> None:
    link = upload_link(caller(cast.ada), cast.repo())

    answer = Client().put(link, wrong)

    assert answer.status_code == 422
    assert "announced" in answer.json()["message"]
    assert not Blob.objects.exists()
    assert blob_store().size(lfs_key(hashlib.sha256(wrong).digest())) is None


def test_an_empty_file_is_a_file(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)

    sha256 = put_lfs(ada, repo, b"")
    link = batch(ada, repo, "download", [(sha256.hex(), 0)])["objects"][0]["actions"]["download"]

    assert content(Client().get(link["href"])) == b""


def test_an_upload_link_serves_nothing_else(cast: Cast) -> None:
    link = upload_link(caller(cast.ada), cast.repo())

    assert Client().put(link[:-1] + ("A" if link[-1] != "A" else "B"), BODY).status_code == 403
    assert Client().get(link.replace("/upload", "/download")).status_code == 403
    assert Client().put(link.partition("?")[0], BODY).status_code == 403


def test_an_upload_link_ends_with_its_signers_rights(cast: Cast) -> None:
    repo = cast.repo("acme/tiny")
    link = upload_link(caller(cast.ben), repo)
    cast.ben.is_active = False
    cast.ben.save()

    assert Client().put(link, BODY).status_code == 403
    assert not Blob.objects.exists()


def test_a_download_link_ends_with_the_repo(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    put_lfs(ada, repo, BODY)
    link = batch(ada, repo, "download", [(OID, len(BODY))])["objects"][0]["actions"]["download"]
    repo.delete()

    assert Client().get(link["href"]).status_code == 401


def test_objects_fail_one_by_one(cast: Cast, settings: Settings) -> None:
    settings.MAX_FILE_BYTES = 1000
    objects: list[Any] = [("zz", 5), (OID, -1), (OID, 2000), (OID, "5"), (OID, 10)]

    answer = batch(caller(cast.ada), cast.repo(), "upload", objects)

    codes = [row.get("error", {}).get("code") for row in answer["objects"]]
    assert (answer["status"], codes) == (200, [422, 422, 413, 422, None])


def test_a_huge_file_goes_up_in_parts(cast: Cast, settings: Settings) -> None:
    settings.LFS_MULTIPART_FROM, settings.LFS_PART_BYTES = 50_000, 30_000
    repo, ada = cast.repo(), caller(cast.ada)
    offered = batch(ada, repo, "upload", [(OID, len(BODY))], ["basic", "multipart"])
    action = offered["objects"][0]["actions"]["upload"]
    assert list(action["header"]) == ["chunk_size", "1", "2", "3", "4"]

    for number in range(1, 5):
        part = BODY[(number - 1) * 30_000 : number * 30_000]
        assert Client().put(action["header"][str(number)], part)["ETag"]
    parts = {"oid": OID, "parts": [{"partNumber": n, "etag": "x"} for n in range(1, 5)]}
    done = [Client().post(action["href"], parts, "application/json") for _twice in range(2)]

    assert offered["transfer"] == "multipart"
    assert [answer.status_code for answer in done] == [200, 200]
    assert RepoBlob.objects.filter(repo=repo, blob_id=SHA256.digest()).exists()


@pytest.mark.parametrize(
    ("module", "where"),
    [
        (uploads, Point.PARTS_JOINED),
        (blobs, Point.BLOB_STAGED),
        (blobs, Point.BLOB_PUBLISHED),
        (blobs, Point.BLOB_LINKED),
        (blobs, Point.BLOB_ACCEPTED),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_parts_whose_joining_broke_off_are_joined_when_asked_again(
    cast: Cast,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    where: Point,
) -> None:
    settings.LFS_MULTIPART_FROM, settings.LFS_PART_BYTES = 50_000, 60_000
    repo, ada = cast.repo(), caller(cast.ada)
    body = BODY + where.encode()
    oid = hashlib.sha256(body).hexdigest()
    offered = batch(ada, repo, "upload", [(oid, len(body))], ["multipart"])
    action = offered["objects"][0]["actions"]["upload"]
    for number, part in enumerate((body[:60_000], body[60_000:]), 1):
        assert Client().put(action["header"][str(number)], part).status_code == 200
    parts = {"oid": oid, "parts": [{"partNumber": n, "etag": "x"} for n in (1, 2)]}

    def die(point: Point) -> None:
        if point is where:
            raise MemoryError

    monkeypatch.setattr(module, "reach", die)
    with pytest.raises(MemoryError):
        Client().post(action["href"], parts, "application/json")
    monkeypatch.undo()
    again = Client().post(action["href"], parts, "application/json")

    assert again.status_code == 200, again.content
    assert RepoBlob.objects.filter(repo=repo, blob_id=bytes.fromhex(oid)).exists()
    assert not [name for name in staged_names(blob_store()) if name.startswith("parts/")]


def test_parts_that_do_not_make_the_file_leave_nothing(cast: Cast, settings: Settings) -> None:
    settings.LFS_MULTIPART_FROM, settings.LFS_PART_BYTES = 50_000, 60_000
    offered = batch(caller(cast.ada), cast.repo(), "upload", [(OID, len(BODY))], ["multipart"])
    action = offered["objects"][0]["actions"]["upload"]
    parts = {"oid": OID, "parts": [{"partNumber": n, "etag": "x"} for n in (1, 2)]}

    assert Client().put(action["header"]["1"], BODY[:60_001]).status_code == 422
    assert Client().post(action["href"], parts, "application/json").status_code == 422
    assert Client().put(action["header"]["1"], BODY[:60_000]).status_code == 200
    assert Client().put(action["header"]["2"], BODY[:40_000]).status_code == 200
    assert Client().post(action["href"], parts, "application/json").status_code == 422
    assert not Blob.objects.exists()


def test_who_cannot_send_parts_is_not_asked_to(cast: Cast, settings: Settings) -> None:
    settings.LFS_MULTIPART_FROM = 10

    offered = batch(caller(cast.ada), cast.repo(), "upload", [(OID, len(BODY))], ["basic"])

    assert offered["transfer"] == "basic"
    assert "header" not in offered["objects"][0]["actions"]["upload"]


def test_who_knows_xet_is_sent_there(cast: Cast) -> None:
    offered = batch(caller(cast.ada), cast.repo(), "upload", [(OID, 5)], ["basic", "xet"])

    action = offered["objects"][0]["actions"]["upload"]
    assert offered["transfer"] == "xet"
    assert "/xet-write-token/main" in action["href"]
    assert action["header"]["X-Xet-Cas-Url"].startswith("http://testserver/xet/")


def test_verify_tells_whether_the_file_arrived(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    url = batch(ada, repo, "upload", [(OID, 100_000)])["objects"][0]["actions"]["verify"]["href"]

    def verified(size: int) -> int:
        body = {"oid": OID, "size": size}
        return int(ada.post(url, body, "application/json").status_code)

    assert verified(100_000) == 404
    put_lfs(ada, repo, BODY)
    assert (verified(100_000), verified(1)) == (200, 422)


def test_strangers_are_asked_for_a_password(cast: Cast) -> None:
    repo = cast.repo("ada/secret", private=True)

    answer = Client().post(f"{repo.url}.git/info/lfs/objects/batch", {}, "application/json")

    assert answer.status_code == 401
    assert answer["LFS-Authenticate"].startswith("Basic")
    assert answer.json()["message"]


@pytest.mark.parametrize(("who", "status"), [("cleo", 403), (None, 401), ("ben", 200)])
def test_only_writers_may_upload_to_a_branch(cast: Cast, who: str | None, status: int) -> None:
    repo = cast.repo("acme/tiny")
    client = caller(getattr(cast, who) if who else None)

    answer = batch(client, repo, "upload", [(OID, 5)], ref={"name": "refs/heads/main"})

    assert answer["status"] == status


def test_a_read_token_may_not_upload(cast: Cast) -> None:
    answer = batch(caller(cast.ada, "read"), cast.repo(), "upload", [(OID, 5)])

    assert answer["status"] == 403


def test_nobody_holds_a_lock(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)

    answer = ada.post(f"{repo.url}.git/info/lfs/locks/verify", {}, "application/json")

    assert answer.json() == {"ours": [], "theirs": []}
    assert ada.post(f"{repo.url}.git/info/lfs/locks", {}, "application/json").status_code == 404
