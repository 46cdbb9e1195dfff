"""Uploads that are not what they claim: by LFS and by Xet."""

from hashlib import sha256

import pytest

from hub.xet.hashing import to_text
from tests.hub.xet.samples import HELLO, HELLO_SHA256, HELLO_SHARD, HELLO_XORB, stored, xorb_of
from tests.wire.plain import Plain, assert_error
from tests.wire.uploads import Cas, batch, offered, upload

pytestmark = pytest.mark.wire

UNSENT, UNSENT_XORB = xorb_of([b"never sent"])
XORB = f"/v1/xorbs/default/{to_text(xorb_of([HELLO])[0])}"


@pytest.fixture
def repo(plain: Plain) -> str:
    return plain.create("ada/uploads")


@pytest.fixture
def cas(plain: Plain) -> Cas:
    return Cas(plain, plain.create("ada/xorbs"))


def test_bytes_of_another_digest_are_refused_and_not_kept(plain: Plain, repo: str) -> None:
    oid = sha256(b"right").hexdigest()

    answer = offered(plain, repo, oid, 5).put(b"wrong")

    assert_error(answer, 422)
    again = batch(plain, repo, {"oid": oid, "size": 5}).json["objects"][0]
    assert "actions" in again, "it is still to be uploaded"


@pytest.mark.parametrize("sent", [b"righ", b"right!", b""])
def test_bytes_of_another_length_are_refused(plain: Plain, repo: str, sent: bytes) -> None:
    link = offered(plain, repo, sha256(b"right").hexdigest(), 5)

    answer = link.put(sent)

    # A bucket takes no other length than the link names.
    assert answer.status == (403 if link.is_direct else 422)
    assert_error(link.verified(), 422 if link.is_direct else 404)


def test_a_link_of_another_signature_is_refused(plain: Plain, repo: str) -> None:
    link = offered(plain, repo, sha256(b"right").hexdigest(), 5)

    assert link.put(b"right", more="x").status == 403


def test_each_object_of_a_batch_has_its_own_error(plain: Plain, repo: str) -> None:
    good = {"oid": "6" * 64, "size": 3}
    bad = [
        {"oid": "zz", "size": 3},
        {"oid": "7" * 64, "size": -1},
        {"oid": "8" * 64, "size": 2**60},
    ]

    answer = batch(plain, repo, good, *bad)

    assert answer.status == 200
    codes = [one.get("error", {}).get("code") for one in answer.json["objects"]]
    assert codes == [None, 422, 422, 413]


def test_a_stranger_may_upload_for_pull_requests_only(plain: Plain, repo: str) -> None:
    wanted = {"oid": "6" * 64, "size": 3}

    assert_error(batch(plain, repo, wanted, who="cleo", ref={"name": "main"}), 403)
    assert_error(batch(plain, repo, wanted, who="cleo", ref={"name": "refs/pr/1"}), 403)
    assert_error(batch(plain, repo, wanted, who=""), 401)
    assert batch(plain, repo, wanted, who="cleo").status == 200


def test_what_was_uploaded_may_be_committed(plain: Plain, repo: str) -> None:
    oid = upload(plain, repo, b"weights")
    large = {"path": "w.bin", "algo": "sha256", "oid": oid, "size": 7}

    assert plain.commit(repo, ("lfsFile", large)).status == 200
    assert plain("GET", f"/{repo}/resolve/main/w.bin").body == b"weights"


def test_a_digest_alone_opens_nothing(plain: Plain) -> None:
    """Digests are published; knowing one must not give its private file to a stranger."""
    oid = upload(plain, plain.create("ada/secret", visibility="private"), b"secret weights")
    plain("POST", "/api/repos/create", {"name": "cleo/thief"}, who="cleo")

    (told,) = batch(plain, "cleo/thief", {"oid": oid, "size": 14}, who="cleo").json["objects"]

    assert "actions" in told, "the thief has to send the bytes first"


def test_a_xorb_and_its_shard_are_taken(cas: Cas) -> None:
    assert cas("POST", XORB, HELLO_XORB).status == 200
    assert cas("POST", "/v1/shards", HELLO_SHARD).json == {"result": 1}


def test_a_file_that_came_by_xet_may_be_committed(plain: Plain, cas: Cas) -> None:
    cas("POST", XORB, HELLO_XORB)
    cas("POST", "/v1/shards", HELLO_SHARD)
    large = {"path": "hello.bin", "algo": "sha256", "oid": HELLO_SHA256, "size": len(HELLO)}

    assert plain.commit("ada/xorbs", ("lfsFile", large)).status == 200
    assert plain("GET", "/ada/xorbs/resolve/main/hello.bin").body == HELLO


@pytest.mark.parametrize(
    "body",
    [
        b"",
        UNSENT_XORB[:-1],
        UNSENT_XORB[:5],
        UNSENT_XORB + b"x",
        bytes([1]) + UNSENT_XORB[1:],
        UNSENT_XORB[:-1] + b"?",
        stored(b"never sent", 1, claim=2**20),
        stored(bytes(100_000), 1, claim=12),
    ],
    ids=[
        "empty",
        "cut",
        "header only",
        "too long",
        "version",
        "another byte",
        "claims more",
        "a bomb",
    ],
)
def test_a_xorb_that_is_not_what_its_name_says_is_refused(cas: Cas, body: bytes) -> None:
    assert_error(cas("POST", f"/v1/xorbs/default/{to_text(UNSENT)}", body), 400)


def test_a_xorb_that_is_too_large_is_refused(cas: Cas) -> None:
    assert_error(cas("POST", f"/v1/xorbs/default/{'0' * 64}", bytes(73 * 2**20)), 413)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("size", [0, 47, 200, len(HELLO_SHARD) - 1])
def test_a_truncated_shard_is_refused(cas: Cas, version: str, size: int) -> None:
    assert_error(cas("POST", f"/{version}/shards", HELLO_SHARD[:size]), 400)


def test_a_shard_over_unknown_xorbs_is_refused(plain: Plain) -> None:
    plain("POST", "/api/repos/create", {"name": "cleo/shards"}, who="cleo")

    answer = Cas(plain, "cleo/shards", who="cleo")("POST", "/v1/shards", HELLO_SHARD)

    assert_error(answer, 400)


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_a_forged_xet_token_is_refused(cas: Cas, token: str) -> None:
    assert_error(cas("POST", "/v1/shards", HELLO_SHARD, token=token), 401)


def test_a_read_token_does_not_write(plain: Plain) -> None:
    reading = Cas(plain, plain.create("ada/xorbs"), scope="read")

    assert_error(reading("POST", "/v1/shards", HELLO_SHARD), 403)


def test_the_store_has_no_routes_that_clients_would_choke_on(cas: Cas) -> None:
    for path in (f"/v1/xorb-grants/default/{'0' * 64}", "/v9/anything"):
        assert_error(cas("POST", path, b"{}"), 404)
    assert_error(cas("GET", f"/v1/chunks/default/{'0' * 64}"), 404)
