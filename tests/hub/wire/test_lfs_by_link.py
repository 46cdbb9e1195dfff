"""LFS where the store takes and gives the bytes itself."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from hub.crashpoints import Point
from hub.models import Blob, Repo, RepoBlob
from hub.queries.store import blob_store
from hub.services import blobs
from hub.storage.digests import lfs_key
from tests.cast import Cast
from tests.hub.storage.storage_contract import staged_names
from tests.hub.storage.test_s3 import send
from tests.hub.wire.callers import batch, caller
from tests.hub.xet.samples import lcg
from tests.s3 import S3Server

pytestmark = pytest.mark.django_db

BODY = lcg(100_000, 3)
OID = hashlib.sha256(BODY).hexdigest()
PART = 5 * 2**20
LONG = lcg(1000, 5) * 11_000
"""A little more than two parts."""
LONG_OID = hashlib.sha256(LONG).hexdigest()
ALL_PARTS = {"oid": LONG_OID, "parts": [{"partNumber": n, "etag": "x"} for n in (1, 2, 3)]}


@pytest.fixture(autouse=True)
def bucket(empty_store: None, moto: S3Server, settings: Settings) -> Iterator[None]:
    moto.use(settings)
    settings.LFS_MULTIPART_FROM, settings.LFS_PART_BYTES = PART, PART
    blob_store.cache_clear()
    yield
    blob_store.cache_clear()


def offered(cast: Cast, oid: str = OID, size: int = len(BODY)) -> dict[str, dict[str, str]]:
    answer = batch(caller(cast.ada), cast.repo(), "upload", [(oid, size)])["objects"][0]
    assert answer["authenticated"]
    actions: dict[str, dict[str, str]] = answer["actions"]
    return actions


def verified(actions: dict[str, dict[str, str]]) -> int:
    answer = Client().post(actions["verify"]["href"], {"oid": OID}, "application/json")
    return answer.status_code


def test_a_file_goes_to_the_store_and_counts_once_it_is_verified(cast: Cast) -> None:
    actions = offered(cast)

    assert send("PUT", actions["upload"]["href"], BODY)[0] == 200
    assert not RepoBlob.objects.exists()
    assert [verified(actions), verified(actions)] == [200, 200]

    assert RepoBlob.objects.get().blob_id == bytes.fromhex(OID)
    assert blob_store().size(lfs_key(bytes.fromhex(OID))) == len(BODY)
    assert staged_names(blob_store()) == []


def test_a_download_comes_from_the_store(cast: Cast) -> None:
    actions = offered(cast)
    send("PUT", actions["upload"]["href"], BODY)
    verified(actions)
    repo = RepoBlob.objects.get().repo

    link = batch(caller(cast.ada), repo, "download", [(OID, len(BODY))])["objects"][0]["actions"]
    answer = Client().get(link["download"]["href"])

    assert answer.status_code == 302
    assert send("GET", answer["Location"])[1] == BODY


def test_what_was_not_sent_is_not_verified(cast: Cast) -> None:
    assert verified(offered(cast)) == 422
    assert not Blob.objects.exists()


@pytest.mark.parametrize("wrong", [BODY[:-1] + b"x", BODY[:-1], BODY + b"x"])
def test_other_bytes_are_dropped_and_nothing_names_them(cast: Cast, wrong: bytes) -> None:
    actions = offered(cast)
    send("PUT", actions["upload"]["href"], wrong)

    assert verified(actions) == 422

    assert not Blob.objects.exists()
    assert list(blob_store().keys()) == []
    assert staged_names(blob_store()) == []


def test_bytes_sent_again_after_the_verification_change_nothing(cast: Cast) -> None:
    actions = offered(cast)
    send("PUT", actions["upload"]["href"], BODY)
    verified(actions)

    send("PUT", actions["upload"]["href"], BODY[::-1])

    assert verified(actions) == 422
    with blob_store().open(lfs_key(bytes.fromhex(OID))) as file:
        assert file.read() == BODY


def _in_parts(ada: Client, repo: Repo) -> dict[str, Any]:
    entries = [(LONG_OID, len(LONG))]
    answer = batch(ada, repo, "upload", entries, ["basic", "multipart"])
    action: dict[str, Any] = answer["objects"][0]["actions"]["upload"]
    return action


def _send_parts(action: dict[str, Any]) -> None:
    for number, start in enumerate(range(0, len(LONG), PART), 1):
        url = action["header"][str(number)]
        assert send("PUT", url, LONG[start : start + PART])[0] == 200


@pytest.mark.parametrize(
    "where",
    [Point.BLOB_STAGED, Point.BLOB_PUBLISHED, Point.BLOB_LINKED, Point.BLOB_ACCEPTED],
    ids=lambda point: str(point.value),
)
def test_an_upload_of_parts_that_broke_off_is_finished_by_asking_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, where: Point
) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    action = _in_parts(ada, repo)
    _send_parts(action)

    def die(point: Point) -> None:
        if point is where:
            raise MemoryError

    monkeypatch.setattr(blobs, "reach", die)
    with pytest.raises(MemoryError):
        Client().post(action["href"], ALL_PARTS, "application/json")
    monkeypatch.undo()
    again = Client().post(action["href"], ALL_PARTS, "application/json")

    assert again.status_code == 200, again.content
    assert RepoBlob.objects.filter(repo=repo, blob_id=bytes.fromhex(LONG_OID)).exists()
    assert staged_names(blob_store()) == []


def test_that_bytes_lie_here_helps_nobody_whose_parts_did_not_come(cast: Cast) -> None:
    theirs, ada = cast.repo("ada/theirs", private=True), caller(cast.ada)
    action = _in_parts(ada, theirs)
    _send_parts(action)
    assert Client().post(action["href"], ALL_PARTS, "application/json").status_code == 200
    own = _in_parts(caller(cast.cleo), cast.repo("cleo/own"))

    answer = Client().post(own["href"], ALL_PARTS, "application/json")

    assert answer.status_code == 422


def test_an_upload_of_parts_is_joined_by_the_store(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    action = _in_parts(ada, repo)
    assert list(action["header"]) == ["chunk_size", "1", "2", "3"]
    assert action["header"]["chunk_size"] == str(PART)

    _send_parts(action)
    done = [Client().post(action["href"], ALL_PARTS, "application/json") for _twice in range(2)]

    assert [answer.status_code for answer in done] == [200, 200]
    assert RepoBlob.objects.filter(repo=repo, blob_id=bytes.fromhex(LONG_OID)).exists()
    assert staged_names(blob_store()) == []


def test_an_upload_without_all_its_parts_is_refused(cast: Cast) -> None:
    action = _in_parts(caller(cast.ada), cast.repo())
    send("PUT", action["header"]["1"], LONG[:PART])

    answer = Client().post(action["href"], ALL_PARTS, "application/json")

    assert answer.status_code == 422
    assert "did not arrive" in answer.json()["message"]
    assert not Blob.objects.exists()


def test_a_store_that_does_not_answer_is_said_so(cast: Cast, settings: Settings) -> None:
    actions = offered(cast)
    settings.S3 = settings.S3 | {"endpoint": "http://127.0.0.1:9"}
    blob_store.cache_clear()

    assert verified(actions) == 503
