"""Shards stay while a file that they brought does; what they tell can be found anew from them."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from hub.models import Repo, XetDedupChunk, XetDomain, XetFile, XetShard, Xorb
from hub.queries.store import blob_store
from hub.queries.stored import SHARDS, shard_keys
from hub.queries.xet import xorb_index
from hub.services import blobs, collect, fsck, scrubbing, xet_rebuilding
from hub.services.fsck import Scope
from hub.storage.digests import xorb_index_key
from hub.xet.hashing import to_text
from teams.services import audit_sealing
from tests.cast import Cast
from tests.hub.services.aging import days
from tests.hub.wire.callers import XetCaller, caller, truthful
from tests.hub.xet.samples import cut, index_of, lcg, shard_of

pytestmark = pytest.mark.django_db

BODY = lcg(300_000, 7)
CHUNKS = list(cut(BODY, (18687, 31280, 131072, 32482, 37293, 49186)))


@pytest.fixture(autouse=True)
def empty_store(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """A store of its own for each test, since some leave damage in it."""
    settings.STORE_URL = f"file://{tmp_path}/store"
    _forget()
    yield
    _forget()


def _forget() -> None:
    for cached in (blob_store, xorb_index, xet_rebuilding._hints):
        cached.cache_clear()


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo("ada/secret", private=True)


@pytest.fixture
def ada(cast: Cast, repo: Repo) -> XetCaller:
    return XetCaller(caller(cast.ada), repo)


def marked(chunks: list[bytes], at: int) -> bytes:
    """A shard of one file, in which the client marked a chunk."""
    index = index_of(chunks)
    sent = truthful(chunks, index)
    shard = bytearray(shard_of([sent], [index]))
    entry = shard.index(index.hashes(at, at + 1), shard.index(index.hash, 250))
    shard[entry + 43] |= 0x80
    return bytes(shard)


def shards() -> list[str]:
    return list(blob_store().keys(SHARDS))


def shard_path() -> Path:
    (key,) = shards()
    path = blob_store().path(key)
    assert path is not None
    return path


def gc_for(count: int) -> None:
    for _day in range(count):
        collect.collect(now=timezone.now())
        days(1)
    collect.collect(now=timezone.now())


def checks(*, deep: bool = True, later: timedelta = timedelta()) -> list[str]:
    return [one.check for one in fsck.find(Scope(deep=deep), now=timezone.now() + later)]


# Collection


def test_a_shard_stays_with_its_file_and_goes_after_it(ada: XetCaller, repo: Repo) -> None:
    ada.put_file(CHUNKS)
    XetFile.objects.get().repo_rows.update(is_named=True)
    gc_for(100)
    there = len(shards())
    blobs.let_go(repo=repo)

    gc_for(1)
    condemned = XetShard.objects.filter(condemned_at__isnull=False).count()
    gc_for(5)
    waiting = len(shards())
    gc_for(2)

    assert (there, condemned, waiting) == (1, 1, 1)
    assert (shards(), XetShard.objects.count()) == ([], 0)
    assert checks() == []


def test_a_young_shard_stays_though_nobody_holds_its_file(ada: XetCaller, repo: Repo) -> None:
    ada.put_file(CHUNKS)
    blobs.let_go(repo=repo)

    gc_for(29)

    assert (len(shards()), XetShard.objects.get().condemned_at) == (1, None)


def test_who_sends_a_condemned_shard_again_saves_it(ada: XetCaller, repo: Repo) -> None:
    ada.put_file(CHUNKS)
    before = shards()
    blobs.let_go(repo=repo)
    gc_for(31)
    assert XetShard.objects.get().condemned_at is not None

    ada.put_file(CHUNKS)
    gc_for(20)

    assert shards() == before
    assert XetShard.objects.get().condemned_at is None
    assert checks() == []


def test_the_same_shard_is_kept_once_however_often_it_comes(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    days(3)
    XetShard.objects.update(day=timezone.now().date())
    ada.put_file(CHUNKS)

    assert len(shards()) == XetShard.objects.count() == 1
    assert XetFile.objects.get().shard == XetShard.objects.get()


# Damage


def test_a_damaged_shard_is_found_told_and_healed_by_who_sends_it(
    ada: XetCaller, client: Any
) -> None:
    ada.put_file(CHUNKS)
    path = shard_path()
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"!")
    before = checks()

    report = scrubbing.scrub(everything=True)
    known, told = checks(deep=False), client.get("/readyz").json()["damaged"]
    ada.put_file(CHUNKS)

    assert (before, known) == (["shard"], ["damage"])
    assert len(report.damaged) == 1
    assert told == {"xorbs": 0, "blobs": 0, "shards": 1}
    assert path.read_bytes() == good
    assert checks() == []


def test_a_shard_that_is_gone_is_found(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    shard_path().unlink()

    assert checks(deep=False) == ["shard"]


# Shards without a row


def of_before(ada: XetCaller) -> None:
    """A file as it lies on a hub that was filled before shards had rows."""
    ada.put_file(CHUNKS)
    XetFile.objects.update(shard=None)
    XetShard.objects.all().delete()
    audit_sealing.seal()


def test_an_old_shard_without_a_row_is_found_and_taken_in(ada: XetCaller) -> None:
    of_before(ada)
    later = timedelta(days=31)
    (found,) = fsck.find(Scope(), now=timezone.now() + later)

    assert (found.check, checks(), fsck.repair(found)) == ("unnamed shard", [], True)
    assert checks(later=later) == []
    assert XetFile.objects.get().shard == XetShard.objects.get()
    sha256 = bytes(XetShard.objects.get().sha256)
    assert shard_keys([sha256]) == {sha256: shards()[0]}


def test_a_damaged_shard_without_a_row_is_left_as_it_is(ada: XetCaller) -> None:
    of_before(ada)
    shard_path().write_bytes(b"rubbish")
    (found,) = fsck.find(Scope(), now=timezone.now() + timedelta(days=31))

    assert not fsck.repair(found)
    assert len(shards()) == 1


# Finding chunks anew


def rows() -> list[tuple[int, bytes, int, int]]:
    columns = ("domain_id", "chunk_hash", "xorb_id", "file_id")
    found = XetDedupChunk.objects.order_by("domain_id", "chunk_hash").values_list(*columns)
    return [(domain, bytes(chunk), xorb, file) for domain, chunk, xorb, file in found]


def rebuilt(*names: str) -> list[str]:
    out = StringIO()
    call_command("rebuild_dedup", *names, stdout=out, stderr=out)
    return out.getvalue().splitlines()


def put_marked(ada: XetCaller) -> None:
    ada.put_xorb(CHUNKS)
    answer = ada.post("/v1/shards", marked(CHUNKS, 4))
    assert answer.status_code == 200, answer.content


def test_what_was_lost_of_the_index_comes_back_from_the_store(ada: XetCaller) -> None:
    put_marked(ada)
    ada.put_file(CHUNKS[:2])
    before = rows()
    assert len(before) == 2
    XetDedupChunk.objects.all().delete()

    assert rebuilt() == ["ada: 2 chunks of 2 files"]
    assert rows() == before


def test_what_the_index_says_wrongly_is_put_right(ada: XetCaller) -> None:
    put_marked(ada)
    before = rows()
    index = ada.put_xorb([lcg(9000, 3)])
    XetDedupChunk.objects.update(xorb=Xorb.objects.get(hash=index.hash))

    rebuilt("Ada")

    assert rows() == before


def test_without_its_shard_a_file_is_found_by_its_own_chunks(ada: XetCaller) -> None:
    put_marked(ada)
    before = rows()
    shard_path().write_bytes(b"rubbish")

    rebuilt()

    first = index_of(CHUNKS).hashes(0, 1)
    assert rows() == [row for row in before if row[1] == first]


def test_shards_of_before_are_taken_in(ada: XetCaller) -> None:
    of_before(ada)

    rebuilt()

    assert XetFile.objects.get().shard == XetShard.objects.get()


def test_a_file_whose_index_is_gone_is_told_of_and_the_others_are_found(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    ada.put_file([lcg(20_000, 9)])
    blob_store().drop(xorb_index_key(to_text(index_of(CHUNKS).hash)))
    xorb_index.cache_clear()

    assert rebuilt() == ["ada: 1 chunks of 2 files, 1 unreadable: run scrub --all, then this again"]
    scrubbing.scrub(everything=True)
    assert rebuilt() == ["ada: 2 chunks of 2 files"]


def test_a_domain_is_not_told_of_xorbs_that_were_lent_to_it(ada: XetCaller, cast: Cast) -> None:
    ada.put_file(CHUNKS)
    theirs = cast.repo("cleo/own")
    XetCaller(caller(cast.cleo), theirs)
    sha256 = bytes(XetFile.objects.get().sha256)
    source = Repo.objects.get(name="secret")
    blobs.lend(source=source, target=theirs, digests=[sha256], by=cast.cleo)

    assert rebuilt() == ["ada: 1 chunks of 1 files", "cleo: 0 chunks of 1 files"]


def test_an_epoch_is_raised_for_those_who_are_named(ada: XetCaller, cast: Cast) -> None:
    XetCaller(caller(cast.cleo), cast.repo("cleo/own"))
    out = StringIO()

    call_command("raise_epoch", "ada", stdout=out)
    call_command("raise_epoch", "--all", stdout=out)

    assert out.getvalue().split("\n") == ["ada: epoch 2", "ada: epoch 3", "cleo: epoch 2", ""]
    assert sorted(XetDomain.objects.values_list("epoch", flat=True)) == [2, 3]


@pytest.mark.parametrize("words", [[], ["ada", "--all"], ["nobody"]])
def test_an_epoch_is_raised_for_nobody_by_mistake(ada: XetCaller, words: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("raise_epoch", *words)

    assert XetDomain.objects.get().epoch == 1
