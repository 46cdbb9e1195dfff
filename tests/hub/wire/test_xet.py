import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from struct import pack
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from hub.models import Repo, XetFile, XetRepoFile, Xorb, XorbDomain
from hub.queries.content import large_content
from hub.queries.fsck import xet as xet_faults
from hub.queries.store import blob_store
from hub.services import xet_tokens
from hub.storage.digests import xorb_key
from hub.xet.hashing import to_text
from hub.xet.shards import Term
from teams.models import Membership, User
from tests.cast import Cast
from tests.hub.wire.callers import XetCaller, caller, content, truthful
from tests.hub.xet.samples import (
    BOOKEND,
    HELLO,
    HELLO_SHA256,
    HELLO_SHARD,
    HELLO_XORB,
    FileSample,
    cut,
    index_of,
    lcg,
    nodes_of,
    shard_of,
    stored,
    xorb_of,
)

pytestmark = pytest.mark.django_db

BODY = lcg(300_000, 7)
CHUNKS = list(cut(BODY, (18687, 31280, 131072, 32482, 37293, 49186)))
HELLO_HASH = "a9dae0ad88b060bdd7e7c87abdcf95b132c95a0414b06d4f6beb68d287b87165"
HELLO_CHUNK = "d8d408e608fb9ca213b9909a65d86d725f2de4d8d540324be8a363e7a6e228cb"


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo("ada/secret", private=True)


@pytest.fixture
def ada(cast: Cast, repo: Repo) -> XetCaller:
    return XetCaller(caller(cast.ada), repo)


def read_back(repo: Repo, body: bytes) -> bytes:
    found = large_content(repo, hashlib.sha256(body).digest(), "x")
    return b"".join(found.read(0, found.size))


def test_a_token_comes_as_json_and_as_headers(ada: XetCaller) -> None:
    given = ada.answer.json()

    assert given["casUrl"] == ada.answer["X-Xet-Cas-Url"]
    assert given["accessToken"] == ada.answer["X-Xet-Access-Token"]
    assert str(given["exp"]) == ada.answer["X-Xet-Token-Expiration"]


def test_what_the_real_client_sends_is_taken(ada: XetCaller, repo: Repo) -> None:
    taken = ada.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB)
    registered = ada.post("/v1/shards", HELLO_SHARD)

    assert (taken.json(), registered.json()) == ({"was_inserted": True}, {"result": 1})
    assert hashlib.sha256(read_back(repo, HELLO)).hexdigest() == HELLO_SHA256


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_a_file_comes_back_by_xet_and_as_a_plain_stream(
    ada: XetCaller, repo: Repo, scheme: int
) -> None:
    file = ada.put_file(CHUNKS, scheme)

    assert ada.read(file.hash, 0, 299_999) == BODY
    assert ada.read(file.hash, 20_000, 250_000) == BODY[20_000:250_001]
    assert read_back(repo, BODY) == BODY


@pytest.mark.parametrize(
    ("xorbs", "shards", "reconstructions"),
    [
        ("/xorb/default", "/shard/default/" + "0" * 64, "/reconstruction"),
        ("/xorbs/default", "/shards", "/reconstructions"),
        ("/v1/xorbs/default", "/shards", "/v1/reconstructions"),
        ("/v1/xorbs/default-merkledb", "/v1/shards", "/v2/reconstructions"),
    ],
)
def test_every_release_of_the_client_finds_its_routes(
    ada: XetCaller, xorbs: str, shards: str, reconstructions: str
) -> None:
    assert ada.post(f"{xorbs}/{HELLO_CHUNK}", HELLO_XORB).status_code == 200
    assert ada.post(shards, HELLO_SHARD).json() == {"result": 1}
    plan = ada.get(f"{reconstructions}/{HELLO_HASH}").json()

    assert plan["terms"][0]["unpacked_length"] == len(HELLO)
    assert ("xorbs" in plan) == reconstructions.startswith("/v2")


def test_footers_of_old_clients_are_dropped(ada: XetCaller) -> None:
    footer = b"XETBLOB\1" + bytes(2000)

    assert ada.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB + footer).status_code == 200
    assert blob_store().size(xorb_key(HELLO_CHUNK)) == len(HELLO_XORB)
    assert ada.post("/shards", HELLO_SHARD + bytes(480)).status_code == 200


def test_progress_is_told_line_by_line(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)

    answer = ada.post("/v2/shards", shard_of([truthful(CHUNKS, index)], [index]))

    events = [json.loads(line) for line in content(answer).splitlines()]
    assert answer["Content-Type"] == "application/x-ndjson"
    assert events[0] == {"type": "validating", "verified": 0, "total": len(BODY)}
    assert events[-1] == {"type": "result", "result": 1}


def test_a_wrong_sha256_is_refused_with_the_reason(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)
    liar = replace(truthful(CHUNKS, index), sha256=bytes(32))

    streamed = content(ada.post("/v2/shards", shard_of([liar], [index])))
    plain = ada.post("/v1/shards", shard_of([liar], [index]))

    last = json.loads(streamed.splitlines()[-1])
    assert (last["type"], last["retryable"]) == ("error", False)
    assert hashlib.sha256(BODY).hexdigest() in last["message"]
    assert plain.status_code == 400
    assert not XetFile.objects.exists()


def test_a_wrong_sha256_of_a_known_file_is_refused_too(ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)

    assert ada.post("/v1/shards", shard_of([replace(file, sha256=bytes(32))])).status_code == 400


def test_a_shard_registers_all_of_its_files_or_none(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)
    part = replace(
        FileSample.over((index, 1, 3)), sha256=hashlib.sha256(b"".join(CHUNKS[1:3])).digest()
    )
    liar = replace(truthful(CHUNKS, index), sha256=bytes(32))

    assert ada.post("/v1/shards", shard_of([part, liar], [index])).status_code == 400
    assert not XetRepoFile.objects.exists()
    assert ada.post("/v1/shards", shard_of([part, truthful(CHUNKS, index)])).status_code == 200
    assert XetRepoFile.objects.count() == 2


def test_a_file_that_a_shard_names_twice_is_one_file(ada: XetCaller, repo: Repo) -> None:
    head, tail, whole = (ada.put_xorb(part) for part in (CHUNKS[:3], CHUNKS[3:], CHUNKS))
    one = truthful(CHUNKS, whole)
    other = replace(FileSample.over((head, 0, 3), (tail, 0, 3)), sha256=one.sha256)

    for _time in range(2):
        assert ada.post("/v1/shards", shard_of([one, other])).status_code == 200

    assert (XetFile.objects.count(), XetRepoFile.objects.count()) == (1, 1)
    assert read_back(repo, BODY) == BODY
    assert list(xet_faults.file_faults(blob_store(), None, deep=True)) == []


def test_to_send_everything_again_changes_nothing(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    again = ada.post(f"/v1/xorbs/default/{to_text(index_of(CHUNKS).hash)}", xorb_of(CHUNKS)[1])
    ada.put_file(CHUNKS)

    assert again.json() == {"was_inserted": False}
    assert (Xorb.objects.count(), XetFile.objects.count(), XetRepoFile.objects.count()) == (1, 1, 1)


def bombs() -> list[Any]:
    huge = b"\0" * (20 * 2**20)
    name, good = xorb_of(CHUNKS)
    bomb = stored(huge, 1, claim=131_072)
    return [
        pytest.param(to_text(name), good[:-1], id="cut off"),
        pytest.param(to_text(name), good[:-4] + b"abcd", id="altered"),
        pytest.param(to_text(name), b"", id="empty"),
        pytest.param(to_text(name), good + b"tail", id="with a tail"),
        pytest.param(to_text(name), pack("<II", 5 << 8, 3 | 5 << 8) + b"12345", id="no scheme"),
        pytest.param(to_text(nodes_of([huge])[0][0]), bomb, id="bomb"),
        pytest.param(to_text(bytes(32)), good, id="another name"),
        pytest.param("Z" * 64, good, id="no name"),
    ]


@pytest.mark.parametrize(("name", "body"), bombs())
def test_bad_xorbs_are_refused_and_leave_nothing(ada: XetCaller, name: str, body: bytes) -> None:
    answer = ada.post(f"/v1/xorbs/default/{name}", body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert not Xorb.objects.exists()
    assert not list(blob_store().keys())


def test_bodies_beyond_the_limits_are_413(ada: XetCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.wire.cas.MAX_XORB_BODY", 10)
    monkeypatch.setattr("hub.wire.cas.MAX_SHARD_BYTES", 10)

    assert ada.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB).status_code == 413
    assert ada.post("/v1/shards", HELLO_SHARD).status_code == 413


@pytest.mark.parametrize("cut_off", [HELLO_SHARD[:-1], HELLO_SHARD[:200], HELLO_SHARD[:47], b""])
def test_a_shard_that_ends_too_soon_is_refused(ada: XetCaller, cut_off: bytes) -> None:
    ada.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB)

    assert ada.post("/v1/shards", cut_off).status_code == 400


def test_a_shard_over_unknown_xorbs_says_which(ada: XetCaller) -> None:
    answer = ada.post("/v2/shards", HELLO_SHARD)

    assert answer.status_code == 400
    assert HELLO_CHUNK in answer.json()["error"]


def test_chunk_hashes_that_were_guessed_prove_nothing(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)
    guess = replace(truthful(CHUNKS, index), proofs=(bytes(32),))

    assert ada.post("/v1/shards", shard_of([guess])).status_code == 400


def test_a_term_beyond_its_xorb_is_refused(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)
    beyond = replace(truthful(CHUNKS, index), terms=(Term(index.hash, 0, 7, len(BODY)),))

    assert ada.post("/v1/shards", shard_of([beyond])).status_code == 400


def test_a_stranger_gains_nothing_from_knowing_hashes(cast: Cast, ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)
    cleo = XetCaller(caller(cast.cleo), cast.repo("cleo/own"))

    plan = cleo.get(f"/v1/reconstructions/{to_text(file.hash)}")
    shard = cleo.post("/v1/shards", shard_of([file]))
    head = cleo.head(f"/v1/xorbs/default/{to_text(file.terms[0].xorb)}")

    assert (plan.status_code, shard.status_code, head.status_code) == (404, 400, 404)
    assert "was not uploaded here" in shard.json()["error"]


def test_the_same_bytes_of_a_stranger_make_them_a_member(cast: Cast, ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    cleo = XetCaller(caller(cast.cleo), cast.repo("cleo/own"))

    answer = cleo.post(f"/v1/xorbs/default/{to_text(index_of(CHUNKS).hash)}", xorb_of(CHUNKS)[1])

    assert answer.json() == {"was_inserted": True}
    assert (Xorb.objects.count(), XorbDomain.objects.count()) == (1, 2)


def test_a_false_copy_of_a_known_xorb_makes_nobody_a_member(cast: Cast, ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    cleo = XetCaller(caller(cast.cleo), cast.repo("cleo/own"))

    answer = cleo.post(f"/v1/xorbs/default/{to_text(index_of(CHUNKS).hash)}", HELLO_XORB)

    assert answer.status_code == 400
    assert XorbDomain.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "role", "scope", "status"),
    [
        ("ada", "write", "write", 200),
        ("ada", "read", "write", 403),
        ("ada", "read", "read", 200),
        ("cleo", "write", "read", 404),
        ("cleo", "write", "write", 404),
        (None, "", "read", 401),
    ],
)
def test_tokens_go_to_who_may(
    cast: Cast, repo: Repo, who: str | None, role: str, scope: str, status: int
) -> None:
    user = getattr(cast, who) if who else None

    assert XetCaller(caller(user, role), repo, scope).answer.status_code == status


def test_a_public_repo_is_read_by_anybody(cast: Cast) -> None:
    public = cast.repo("ada/public")
    file = XetCaller(caller(cast.ada), public).put_file(CHUNKS)

    assert XetCaller(Client(), public, "read").read(file.hash, 5, 99) == BODY[5:100]


def test_a_read_token_uploads_nothing(cast: Cast, repo: Repo) -> None:
    reader = XetCaller(caller(cast.ada), repo, "read")

    assert reader.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB).status_code == 403


def test_a_token_for_another_domain_opens_nothing(cast: Cast, ada: XetCaller) -> None:
    other = XetCaller(caller(cast.ada), cast.repo("acme/other"))
    ada.cas = other.cas

    assert ada.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB).status_code == 401


def test_a_token_ends(ada: XetCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xet_tokens, "TOKEN_LIFE", timedelta(seconds=-1))

    assert ada.post("/v1/shards", HELLO_SHARD).status_code == 401


def test_a_token_ends_with_its_owners_rights(cast: Cast) -> None:
    repo = cast.repo("acme/tiny")
    ben = XetCaller(caller(cast.ben), repo)
    Membership.objects.filter(user=cast.ben).delete()

    assert ben.post(f"/v1/xorbs/default/{HELLO_CHUNK}", HELLO_XORB).status_code == 403


def data_url(ada: XetCaller, span: str = "0-299999") -> tuple[str, str]:
    file = ada.put_file(CHUNKS)
    plan = ada.get(f"/v2/reconstructions/{to_text(file.hash)}", Range=f"bytes={span}").json()
    fetch = next(iter(plan["xorbs"].values()))[0]
    return fetch[
        "url"
    ], f"{fetch['ranges'][0]['bytes']['start']}-{fetch['ranges'][0]['bytes']['end']}"


def fetch(url: str, span: str | None, **headers: str) -> Any:
    asked = {"Range": f"bytes={span}"} if span else {}
    return Client().get(url, headers=asked | headers)


def test_a_link_gives_its_own_bytes(ada: XetCaller) -> None:
    url, span = data_url(ada)
    answer = fetch(url, span)

    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {span}/*"
    assert content(answer) == xorb_of(CHUNKS)[1]


@pytest.mark.parametrize("other", ["0-400000", "0-", "-5", "30-200000", None, "40000-50000,0-5"])
def test_a_link_gives_no_other_bytes(ada: XetCaller, other: str | None) -> None:
    url, _span = data_url(ada, "30000-60000")

    assert fetch(url, other).status_code in {400, 403}


def test_several_ranges_of_a_link_come_in_parts(ada: XetCaller) -> None:
    url, _span = data_url(ada)
    answer = fetch(url, "0-3,8-11")

    body = content(answer)
    assert answer.status_code == 206
    assert answer["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert b"Content-Range: bytes 8-11/*\r\n\r\n" + xorb_of(CHUNKS)[1][8:12] in body


def test_a_link_cannot_be_altered(ada: XetCaller) -> None:
    url, span = data_url(ada)
    position = url.index("signature=") + 15

    altered = url[:position] + ("A" if url[position] != "A" else "B") + url[position + 1 :]

    assert fetch(altered, span).status_code == 403
    assert fetch(url.partition("?")[0], span).status_code == 403


def test_a_link_ends(ada: XetCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    url, span = data_url(ada)
    monkeypatch.setattr(xet_tokens, "DATA_LIFE", timedelta(seconds=-1))

    assert fetch(url, span).status_code == 403


def test_a_link_ends_with_the_repo(ada: XetCaller, repo: Repo) -> None:
    url, span = data_url(ada)
    repo.delete()

    assert fetch(url, span).status_code in {401, 404}


def test_a_proxy_sends_only_what_it_cannot_misread(ada: XetCaller, settings: Settings) -> None:
    settings.ACCEL_PREFIX = "/_store/"
    url, span = data_url(ada)

    plain, doubtful = fetch(url, span), fetch(url, span, **{"If-Range": '"x"'})

    assert plain["X-Accel-Redirect"].startswith("/_store/xet/xorbs/")
    assert "X-Accel-Redirect" not in doubtful
    assert content(doubtful) == xorb_of(CHUNKS)[1]


def test_a_range_of_a_file_is_planned_chunk_by_chunk(ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)

    plan = ada.get(f"/v2/reconstructions/{to_text(file.hash)}", Range="bytes=20000-20099").json()

    assert plan["offset_into_first_range"] == 20_000 - 18_687
    assert [term["range"] for term in plan["terms"]] == [{"start": 1, "end": 2}]


def test_a_range_beyond_the_end_is_416(ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)

    answer = ada.get(f"/v2/reconstructions/{to_text(file.hash)}", Range="bytes=300000-")

    assert answer.status_code == 416


def test_sizes_can_be_asked_for(ada: XetCaller) -> None:
    file = ada.put_file(CHUNKS)

    assert ada.head(f"/v1/files/{to_text(file.hash)}")["Content-Length"] == "300000"
    xorb = ada.head(f"/v1/xorbs/default/{to_text(file.terms[0].xorb)}")
    assert xorb["Content-Length"] == str(300_000 + 6 * 8)


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/xorb-grants/default/{HELLO_CHUNK}",
        f"/v1/xorb-commits/default/{HELLO_CHUNK}/grant/1",
        f"/v1/chunks/default/{HELLO_CHUNK}",
        f"/v1/xorbs/default/{HELLO_CHUNK}/more",
        f"/v1/reconstructions/{HELLO_HASH}",
        "/v3/anything",
        "/",
    ],
)
def test_what_there_is_not_is_404_and_nothing_else(ada: XetCaller, path: str) -> None:
    answer = ada.post(path, b"{}")

    assert answer.status_code == 404
    assert isinstance(answer.json()["error"], str)


def test_chunk_queries_are_answered_by_404(ada: XetCaller) -> None:
    assert ada.get(f"/v1/chunks/default-merkledb/{HELLO_CHUNK}").status_code == 404


def test_telemetry_is_thanked_for(cast: Cast, ada: XetCaller) -> None:
    assert Client().post("/v1/telemetry").status_code == 204
    assert ada.post("/v1/telemetry", b"").status_code == 204


def test_who_proposes_uploads_in_a_domain_of_their_own(cast: Cast) -> None:
    repo = cast.repo()
    ada = XetCaller(caller(cast.ada), repo)
    ada.put_xorb(CHUNKS)
    target = f"/api/models/{repo}/xet-write-token/None?create_pr=1"

    def cas(user: User) -> XetCaller:
        return XetCaller(caller(user), repo, scope="write", target=target)

    cleo, writer = cas(cast.cleo), cas(cast.ada)

    assert writer.cas == ada.cas != cleo.cas
    xorb = to_text(index_of(CHUNKS).hash)
    path = f"/v1/xorbs/default/{xorb}"
    assert (ada.head(path).status_code, cleo.head(path).status_code) == (200, 404)
    assert caller(cast.cleo).get(target.replace("?create_pr=1", "")).status_code == 403
    assert caller(cast.cleo, "read").get(target).status_code == 403
    assert caller(None).get(target).status_code == 401
    proposed = cleo.put_file(CHUNKS)
    assert ada.read(proposed.hash, 0, 4) == b"".join(CHUNKS)[:5]


def test_a_token_needs_a_revision_that_exists_or_none_at_all(cast: Cast, repo: Repo) -> None:
    ada = caller(cast.ada)

    assert ada.get(f"/api/models/{repo}/xet-write-token/nothing").status_code == 404
    assert ada.get(f"/api/models/{repo}/xet-write-token/None").status_code == 200
    quoted = f"/api/models/{repo}/xet-read-token/refs%2Fheads%2Fmain"
    assert ada.get(quoted, RAW_URI=quoted).status_code == 200


def test_no_footer_and_no_chunk_hash_is_ever_stored_with_the_bytes(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)

    with blob_store().open(xorb_key(to_text(index.hash))) as file:
        bytes_of_xorb = file.read()

    assert index.chunk_hashes[:32] not in bytes_of_xorb
    assert BOOKEND not in bytes_of_xorb


def test_a_xorb_that_was_left_compressed_in_another_way_reads_as_it_lies(
    ada: XetCaller, repo: Repo
) -> None:
    xorb, body = xorb_of(CHUNKS, scheme=1)
    store = blob_store()
    store.publish(store.stage([body]), xorb_key(to_text(xorb)))

    file = ada.put_file(CHUNKS)

    whole = b"".join(CHUNKS)
    assert ada.read(file.hash, 0, len(whole) - 1) == whole


def test_what_was_left_damaged_is_dropped_and_comes_again(ada: XetCaller) -> None:
    xorb, body = xorb_of(CHUNKS)
    store = blob_store()
    store.publish(store.stage([body[:-1] + bytes([body[-1] ^ 1])]), xorb_key(to_text(xorb)))
    path = f"/v1/xorbs/default/{to_text(xorb)}"

    assert ada.post(path, body).status_code == 503
    assert ada.post(path, body).json() == {"was_inserted": True}
