"""Xorbs that clients send straight to the store, and fetch from it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from hub.http import xorb_urls
from hub.models import Repo, Xorb, XorbDomain
from hub.queries.store import blob_store
from hub.storage.digests import xorb_index_key, xorb_key
from hub.xet.hashing import to_text
from tests.cast import Cast
from tests.hub.storage.storage_contract import staged_names
from tests.hub.storage.test_s3 import send
from tests.hub.wire.callers import XetCaller, caller, truthful
from tests.hub.xet.samples import FileSample, cut, index_of, lcg, shard_of, xorb_of
from tests.s3 import RadosGateway, S3Server

pytestmark = pytest.mark.django_db

BODY = lcg(300_000, 7)
CHUNKS = list(cut(BODY, (18687, 31280, 131072, 32482, 37293, 49186)))
XORB, STORED = to_text(xorb_of(CHUNKS)[0]), xorb_of(CHUNKS)[1]


@pytest.fixture(autouse=True)
def bucket(empty_store: None, moto: S3Server, settings: Settings) -> Iterator[None]:
    moto.use(settings)
    blob_store.cache_clear()
    yield
    blob_store.cache_clear()


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo("ada/secret", private=True)


@pytest.fixture
def ada(cast: Cast, repo: Repo) -> XetCaller:
    return XetCaller(caller(cast.ada), repo)


def granted(who: XetCaller, length: int = len(STORED)) -> Any:
    checksum = {"algo": "crc64nvme", "value": "15076315679053871329"}
    body = json.dumps({"length": length, "checksum": checksum})
    return who.post(f"/v1/xorb-grants/default/{XORB}", body.encode())


def sent(who: XetCaller, stored: bytes = STORED) -> str:
    """Send something by a grant; answer the grant."""
    answer = granted(who, len(stored))
    assert answer.status_code == 201, answer.content
    grant = answer.json()
    assert (grant["method"], grant["headers"]) == ("PUT", {})
    assert send("PUT", grant["url"], stored)[0] == 200
    return str(grant["id"])


def kept(who: XetCaller, grant: str) -> int:
    answer = who.post(f"/v1/xorb-commits/default/{XORB}/grant/{grant}", b"")
    status: int = answer.status_code
    return status


def test_a_xorb_goes_to_the_store_and_counts_once_it_was_read(ada: XetCaller) -> None:
    grant = sent(ada)
    assert not Xorb.objects.exists()

    assert [kept(ada, grant), kept(ada, grant)] == [200, 200]

    assert Xorb.objects.get().stored_bytes == len(STORED)
    assert blob_store().size(xorb_key(XORB)) == len(STORED)
    assert blob_store().size(xorb_index_key(XORB)) is not None
    assert staged_names(blob_store()) == []
    assert granted(ada).status_code == 200


def test_a_file_of_such_a_xorb_comes_back(ada: XetCaller) -> None:
    kept(ada, sent(ada))
    index = index_of(CHUNKS)

    answer = ada.post("/v1/shards", shard_of([truthful(CHUNKS, index)], [index]))

    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize(
    "stored", [STORED[:-1], STORED[:-4] + b"abcd", STORED + b"tail", b"rubbish"]
)
def test_what_is_no_such_xorb_is_refused_and_dropped(ada: XetCaller, stored: bytes) -> None:
    assert kept(ada, sent(ada, stored)) == 400
    assert not Xorb.objects.exists()
    assert staged_names(blob_store()) == []


@pytest.mark.parametrize("grant", ["0" * 32, "nonsense", "..", "0" * 33])
def test_a_grant_by_which_nothing_came_is_404(ada: XetCaller, grant: str) -> None:
    """The client then begins anew."""
    assert kept(ada, grant) == 404


def test_a_grant_is_of_use_to_nobody_else(ada: XetCaller, cast: Cast) -> None:
    grant = sent(ada)
    cleo = XetCaller(caller(cast.cleo), cast.repo("cleo/own"))

    assert kept(cleo, grant) == 404
    assert not XorbDomain.objects.exists()
    assert kept(ada, grant) == 200


@pytest.mark.parametrize("length", [0, 80 * 2**20])
def test_lengths_that_no_xorb_has_get_no_grant(ada: XetCaller, length: int) -> None:
    assert granted(ada, length).status_code == 404


def test_a_footer_is_refused_where_we_cannot_take_it_off(ada: XetCaller) -> None:
    """Clients that know grants send none."""
    assert kept(ada, sent(ada, STORED + b"XETBLOB\1" + bytes(200))) == 400
    assert blob_store().size(xorb_key(XORB)) is None


# Fetching


@pytest.fixture
def gateway(ceph: RadosGateway, settings: Settings) -> Iterator[str]:
    """A store that holds to what was signed; answers its address."""
    ceph.server.use(settings)
    blob_store.cache_clear()
    yield ceph.server.endpoint
    blob_store.cache_clear()


@pytest.mark.ceph
def test_pieces_of_a_xorb_are_fetched_from_the_store(gateway: str, ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)
    asked = f"/reconstructions/{to_text(file.hash)}"
    middle = {"Range": "bytes=20000-60000"}

    one = ada.get(f"/v1{asked}", **middle).json()["fetch_info"][XORB]
    two = ada.get(f"/v2{asked}", **middle).json()["xorbs"][XORB]

    assert [len(one), len(two), len(two[0]["ranges"])] == [1, 1, 1]
    assert one[0]["url_range"] == two[0]["ranges"][0]["bytes"]
    start, end = one[0]["url_range"]["start"], one[0]["url_range"]["end"]
    for url in (one[0]["url"], two[0]["url"]):
        assert url.startswith(gateway)
        status, body, _headers = send("GET", url, headers={"Range": f"bytes={start}-{end}"})
        assert (status, body) == (206, STORED[start : end + 1])
        for other in (f"bytes={start}-{end + 1}", "bytes=0-", f"bytes={end}-{end}"):
            assert send("GET", url, headers={"Range": other})[0] == 403
        assert send("GET", url)[0] == 403


@pytest.mark.ceph
def test_each_piece_has_a_link_of_its_own(
    gateway: str, ada: XetCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = ada.put_xorb(CHUNKS)
    sample = FileSample.over((index, 0, 1), (index, 3, 4))
    file = replace(sample, sha256=hashlib.sha256(CHUNKS[0] + CHUNKS[3]).digest())
    assert ada.post("/v1/shards", shard_of([file], [index])).status_code == 200
    asked = f"/v2/reconstructions/{to_text(file.hash)}"

    linked = ada.get(asked).json()["xorbs"][XORB]
    monkeypatch.setattr(xorb_urls, "MOST_LINKS", 1)
    ours = ada.get(asked).json()["xorbs"][XORB]

    assert [len(one["ranges"]) for one in linked] == [1, 1]
    assert all(one["url"].startswith(gateway) for one in linked)
    assert [len(one["ranges"]) for one in ours] == [2]
    assert ours[0]["url"].startswith("http://testserver/xet/data?")


def test_a_store_that_does_not_hold_to_what_was_signed_gives_no_pieces(ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)

    (fetch,) = ada.get(f"/v1/reconstructions/{to_text(file.hash)}").json()["fetch_info"][XORB]

    assert fetch["url"].startswith("http://testserver/xet/data?")
