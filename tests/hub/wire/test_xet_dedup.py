"""What clients are told of xorbs that they need not send, and what nobody is told."""

import hashlib
import time
from dataclasses import replace
from datetime import timedelta
from struct import unpack_from
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Repo, XetDedupChunk, XetFile, Xorb, XorbDomain
from hub.queries.store import blob_store
from hub.services import xet_dedup
from hub.xet.hashing import file_hash, range_hash, to_text
from hub.xet.shards import Term, parse_shard
from hub.xet.xorbs import XorbIndex
from teams.roles import Permission
from teams.services import tokens
from teams.services.tokens import Allowed
from tests.cast import Cast
from tests.hub.wire.callers import XetCaller, bearer, caller
from tests.hub.xet.samples import FileSample, cut, index_of, lcg, shard_of, xorb_of

pytestmark = pytest.mark.django_db

BODY = lcg(300_000, 7)
CHUNKS = list(cut(BODY, (18687, 31280, 131072, 32482, 37293, 49186)))
HEAD, TAIL = CHUNKS[:3], CHUNKS[3:]
FIRST_CHUNK = "2a26dd65fa81c8d277113048f21cadc8d42795b4ebb22c05d90fc6ebcb1bab9b"
UNKNOWN = "0" * 64


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo("ada/secret", private=True)


@pytest.fixture
def ada(cast: Cast, repo: Repo) -> XetCaller:
    return XetCaller(caller(cast.ada), repo)


@pytest.fixture
def cleo(cast: Cast) -> XetCaller:
    return XetCaller(caller(cast.cleo), cast.repo("cleo/own"))


def put_in_two(who: XetCaller) -> FileSample:
    """Upload one file over two xorbs."""
    head, tail = who.put_xorb(HEAD), who.put_xorb(TAIL)
    sample = FileSample.over((head, 0, 3), (tail, 0, 3))
    file = replace(sample, sha256=hashlib.sha256(BODY).digest())
    answer = who.post("/v1/shards", shard_of([file], [head, tail]))
    assert answer.status_code == 200, answer.content
    return file


def ask(who: XetCaller, chunk: str = FIRST_CHUNK) -> Any:
    return who.get(f"/v1/chunks/default/{chunk}")


def test_a_chunk_brings_its_xorb_and_those_beside_it(ada: XetCaller) -> None:
    put_in_two(ada)

    answer = ask(ada)

    read = parse_shard(answer.content)
    assert answer["Content-Type"] == "application/octet-stream"
    assert [info.hash for info in read.xorbs] == [index_of(HEAD).hash, index_of(TAIL).hash]


@pytest.mark.parametrize(
    "route", ["/chunk/default", "/chunks/default", "/v1/chunks/default-merkledb"]
)
def test_every_release_of_the_client_finds_the_query(ada: XetCaller, route: str) -> None:
    ada.put_file(CHUNKS)

    assert ada.get(f"{route}/{FIRST_CHUNK}").status_code == 200


def test_only_chunks_that_clients_ask_about_have_rows(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)

    assert [to_text(bytes(row.chunk_hash)) for row in XetDedupChunk.objects.all()] == [FIRST_CHUNK]


def test_a_marked_chunk_is_found_too(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)
    file = replace(FileSample.over((index, 0, 6)), sha256=hashlib.sha256(BODY).digest())
    shard = bytearray(shard_of([file], [index]))
    entry = shard.index(index.hashes(4, 5), shard.index(index.hash, 250))
    shard[entry + 43] |= 0x80
    ada.post("/v1/shards", bytes(shard))

    assert ask(ada, to_text(index.hashes(4, 5))).status_code == 200
    assert ask(ada, to_text(index.hashes(3, 4))).status_code == 404


def offered(who: XetCaller) -> list[bytes]:
    return [info.hash for info in parse_shard(ask(who).content).xorbs]


def test_the_newest_file_answers_for_its_chunks(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    ada.put_file(HEAD)

    assert offered(ada) == [index_of(HEAD).hash]


def test_the_same_file_over_other_xorbs_is_answered_from_those_that_it_is_built_of(
    ada: XetCaller,
) -> None:
    put_in_two(ada)
    ada.put_file(CHUNKS)

    assert offered(ada) == [index_of(HEAD).hash, index_of(TAIL).hash]


def key_and_expiry(shard: bytes) -> tuple[bytes, int]:
    key, _created, expires = unpack_from("<32s2Q", shard, len(shard) - 200 + 72)
    return key, expires


def test_the_key_is_one_per_domain_and_week(
    ada: XetCaller, cleo: XetCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.put_file(CHUNKS)
    cleo.put_file(CHUNKS)
    now = 2_000 * 7 * 86_400

    def shown(who: XetCaller, at: float) -> tuple[bytes, int]:
        monkeypatch.setattr("hub.services.xet_dedup.time.time", lambda: at)
        return key_and_expiry(xet_dedup.answer(index_of(CHUNKS).hashes(0, 1), cas=who.cas[5:]))

    monday, evening, sunday, later = (
        shown(ada, now + hours * 3600) for hours in (0, 20, 7 * 24 - 1, 7 * 24 + 1)
    )

    assert any(monday[0])
    assert monday[0] == evening[0] == sunday[0] != later[0]
    assert monday[0] != shown(cleo, now)[0]
    assert (monday[1] - now, sunday[1] - now) == (24 * 3600, 7 * 24 * 3600)


def test_raising_the_epoch_changes_the_key(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    chunk, domain = index_of(CHUNKS).hashes(0, 1), ada.cas[5:].partition(".")[0]

    keys = {key_and_expiry(xet_dedup.answer(chunk, cas=f"{domain}.{n}"))[0] for n in (1, 2)}

    assert len(keys) == 2


def test_an_answer_keeps_its_xorbs_for_as_long_as_clients_remember(ada: XetCaller) -> None:
    put_in_two(ada)
    long_ago = timezone.now() - timedelta(days=40)
    Xorb.objects.update(touched_at=long_ago)

    ask(ada)

    assert all(xorb.touched_at > long_ago for xorb in Xorb.objects.all())


def test_a_condemned_xorb_is_not_offered(ada: XetCaller) -> None:
    put_in_two(ada)
    Xorb.objects.filter(hash=index_of(TAIL).hash).update(condemned_at=timezone.now())
    without_tail = parse_shard(ask(ada).content).xorbs
    Xorb.objects.update(condemned_at=timezone.now())

    assert [info.hash for info in without_tail] == [index_of(HEAD).hash]
    assert ask(ada).status_code == 404
    assert Xorb.objects.filter(condemned_at=None).count() == 0


def test_a_damaged_xorb_is_not_offered(ada: XetCaller) -> None:
    put_in_two(ada)
    Xorb.objects.filter(hash=index_of(HEAD).hash).update(damaged_at=timezone.now())

    assert ask(ada).status_code == 404


def test_uploading_a_condemned_xorb_again_saves_it(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    Xorb.objects.update(condemned_at=timezone.now())

    ada.put_file(CHUNKS)

    assert Xorb.objects.get().condemned_at is None
    assert ask(ada).status_code == 200


def grant(who: XetCaller, xorb: str) -> Any:
    body = b'{"length":300048,"checksum":{"algo":"crc64nvme","value":"15076315679053871329"}}'
    return who.post(f"/v1/xorb-grants/default/{xorb}", body)


def test_what_the_domain_holds_need_not_be_sent(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    Xorb.objects.update(condemned_at=timezone.now(), touched_at=timezone.now() - timedelta(days=40))

    assert grant(ada, to_text(index_of(CHUNKS).hash)).status_code == 200
    assert Xorb.objects.get().condemned_at is None
    assert grant(ada, UNKNOWN).status_code == 404


def test_a_stranger_hears_the_same_of_what_exists_and_what_does_not(
    ada: XetCaller, cleo: XetCaller
) -> None:
    """Knowing a chunk or a xorb of others shows nobody that somebody has it."""
    ada.put_file(CHUNKS)
    xorb = to_text(index_of(CHUNKS).hash)

    for path, theirs in (("/v1/chunks/default", FIRST_CHUNK), ("/v1/xorbs/default", xorb)):
        known, unknown = cleo.get(f"{path}/{theirs}"), cleo.get(f"{path}/{UNKNOWN}")
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
        known, unknown = cleo.head(f"{path}/{theirs}"), cleo.head(f"{path}/{UNKNOWN}")
        assert known.status_code == unknown.status_code == 404
    known, unknown = grant(cleo, xorb), grant(cleo, UNKNOWN)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 404
    assert cleo.post(f"/v1/xorbs/default/{xorb}", xorb_of(CHUNKS)[1]).json()["was_inserted"]


def test_a_reader_of_a_public_repo_may_not_ask_about_its_domain(cast: Cast, ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    reader = XetCaller(caller(cast.cleo), cast.repo("ada/public"), "read")
    xorb = to_text(index_of(CHUNKS).hash)

    for path in (f"/v1/chunks/default/{FIRST_CHUNK}", f"/v1/chunks/default/{UNKNOWN}"):
        assert reader.get(path).status_code == 403
    assert reader.head(f"/v1/xorbs/default/{xorb}").status_code == 403
    assert grant(reader, xorb).status_code == 403


def stolen(read: Any, sha256: bytes) -> FileSample:
    """The file that a thief makes of an answer, taking the shown hashes for those of chunks."""
    indexes = [
        XorbIndex(hash=one.hash, chunk_hashes=one.chunk_hashes, ends=one.lens, lens=one.lens)
        for one in read.xorbs
    ]
    return FileSample(
        terms=tuple(Term(x.hash, 0, x.n_chunks, x.raw_len(0, x.n_chunks)) for x in indexes),
        proofs=tuple(range_hash(x.chunk_hashes) for x in indexes),
        hash=file_hash([node for x in indexes for node in x.nodes(0, x.n_chunks)]),
        sha256=sha256,
    )


def test_who_knows_the_first_chunk_of_a_file_cannot_claim_the_rest(
    cast: Cast, ada: XetCaller
) -> None:
    """The thief may even write in the domain: a dedup answer alone makes nobody own a file."""
    file = put_in_two(ada)
    thief = XetCaller(caller(cast.ada), cast.repo("ada/other"))

    read = parse_shard(ask(thief).content)
    forged = thief.post("/v1/shards", shard_of([stolen(read, file.sha256)]))
    borrowed = replace(stolen(read, file.sha256), hash=file.hash)
    forged_by_name = thief.post("/v1/shards", shard_of([borrowed]))

    assert (forged.status_code, forged_by_name.status_code) == (400, 400)
    assert "verification hash" in forged.json()["error"]
    assert XetFile.objects.count() == 1
    assert thief.get(f"/v1/reconstructions/{to_text(file.hash)}").status_code == 404


def test_the_theft_would_succeed_if_hashes_were_shown_as_they_are(
    ada: XetCaller, cast: Cast
) -> None:
    """That the test above refuses for the right reason."""
    file = put_in_two(ada)
    thief = XetCaller(caller(cast.ada), cast.repo("ada/other"))
    plain = [index_of(HEAD), index_of(TAIL)]

    forged = thief.post("/v1/shards", shard_of([FileSample.over(*((x, 0, 3) for x in plain))]))
    told = replace(FileSample.over(*((x, 0, 3) for x in plain)), sha256=file.sha256)

    assert forged.status_code == 400
    assert thief.post("/v1/shards", shard_of([told])).status_code == 200


def test_a_stranger_gets_nowhere_with_the_first_chunk(ada: XetCaller, cleo: XetCaller) -> None:
    file = put_in_two(ada)

    assert ask(cleo).status_code == 404
    assert cleo.post("/v1/shards", shard_of([file])).status_code == 400
    assert XorbDomain.objects.filter(first_user__namespace__name="cleo").count() == 0


def test_an_accepted_shard_is_kept_as_it_came(ada: XetCaller) -> None:
    index = ada.put_xorb(CHUNKS)
    file = replace(FileSample.over((index, 0, 6)), sha256=hashlib.sha256(BODY).digest())
    body = shard_of([file], [index])
    ada.post("/v1/shards", shard_of([replace(file, sha256=bytes(32))], [index]))
    ada.post("/v1/shards", body)

    [key] = blob_store().keys("xet/shards/")
    day = time.strftime("%Y%m%d", time.gmtime())
    assert key == f"xet/shards/{day}/{hashlib.sha256(body).hexdigest()}.mdb"
    with blob_store().open(key) as kept:
        assert kept.read() == body


def test_a_token_for_one_repo_hears_of_no_chunks_of_others(cast: Cast, ada: XetCaller) -> None:
    put_in_two(ada)
    other = cast.repo("ada/other", private=True)
    named = frozenset({Permission.REPO_WRITE})

    def with_token(*allowed: Allowed) -> XetCaller:
        secret = tokens.issue_as(tokens.Wish(name="fine", allowed=allowed), user=cast.ada)[1]
        return XetCaller(Client(headers=bearer(secret)), other)

    of_one = with_token(Allowed(named, other.namespace_id, other.pk))
    of_all = with_token(Allowed(named, other.namespace_id))

    assert ask(of_one).status_code == 404
    assert ask(of_all).status_code == 200
