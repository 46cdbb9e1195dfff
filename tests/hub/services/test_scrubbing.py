"""A byte flipped on the disk is found, told, and never served as good."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from hub.errors import DamagedXorb
from hub.models import Blob, Repo, XetDomain, XetShard, Xorb
from hub.queries.content import large_content
from hub.queries.store import blob_store
from hub.queries.xet import xorb_index
from hub.services import fsck, scrubbing
from hub.services.fsck import Scope
from hub.storage.digests import lfs_key, xorb_index_key, xorb_key
from hub.tasks.scrubbing import scrub
from hub.xet.hashing import to_text
from tests.cast import Cast
from tests.hub.wire.callers import XetCaller, batch, caller, content, put_lfs
from tests.hub.xet.samples import FileSample, cut, index_of, lcg, shard_of, xorb_of

pytestmark = pytest.mark.django_db

BODY = lcg(300_000, 7)
CHUNKS = list(cut(BODY, (18687, 31280, 131072, 32482, 37293, 49186)))
XORB = to_text(index_of(CHUNKS).hash)


@pytest.fixture(autouse=True)
def empty_store(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """A store of its own for each test, since each leaves damage in it."""
    settings.STORE_URL = f"file://{tmp_path}/store"
    blob_store.cache_clear()
    xorb_index.cache_clear()
    yield
    blob_store.cache_clear()
    xorb_index.cache_clear()


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo("ada/secret", private=True)


@pytest.fixture
def ada(cast: Cast, repo: Repo) -> XetCaller:
    return XetCaller(caller(cast.ada), repo)


def flip(key: str, at: int = 50_000) -> None:
    path = blob_store().path(key)
    assert isinstance(path, Path)
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def due() -> None:
    """As if everything had been read long ago."""
    long_ago = timezone.now() - timedelta(days=30)
    Xorb.objects.update(scrubbed_at=long_ago)
    Blob.objects.update(scrubbed_at=long_ago)
    XetShard.objects.update(scrubbed_at=long_ago)


def damaged() -> list[str]:
    due()
    return scrubbing.scrub().damaged


def by_lfs(cast: Cast, repo: Repo) -> bytes:
    return put_lfs(caller(cast.ada), repo, BODY)


def lfs_download(cast: Cast, repo: Repo) -> Any:
    oid = hashlib.sha256(BODY).hexdigest()
    answer = batch(caller(cast.ada), repo, "download", [(oid, len(BODY))])
    return Client().get(answer["objects"][0]["actions"]["download"]["href"])


def data_of(ada: XetCaller, file: FileSample) -> tuple[str, str]:
    plan = ada.get(f"/v1/reconstructions/{to_text(file.hash)}").json()
    fetch = plan["fetch_info"][XORB][0]
    return fetch["url"], f"bytes={fetch['url_range']['start']}-{fetch['url_range']['end']}"


def test_good_bytes_are_found_good(ada: XetCaller, cast: Cast, repo: Repo) -> None:
    ada.put_file(CHUNKS)
    put_lfs(caller(cast.ada), repo, BODY[:1000])
    due()
    before = timezone.now()

    report = scrubbing.scrub()

    assert (report.objects, report.damaged) == (3, [])
    assert report.nbytes == 1000 + 300_048 + XetShard.objects.get().size
    assert not Xorb.objects.filter(scrubbed_at__lt=before).exists()
    assert not Blob.objects.filter(scrubbed_at__lt=before).exists()


def test_what_was_read_this_week_is_not_read_again(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)

    assert scrubbing.scrub().objects == 0
    assert scrubbing.scrub(everything=True).objects == 2


def test_a_run_reads_its_share_and_the_next_one_goes_on(
    ada: XetCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "_LEAST_BYTES", 10_000)
    for part in (CHUNKS[:2], CHUNKS[2:4], CHUNKS[4:]):
        ada.put_xorb(part)
    due()

    counts = [scrubbing.scrub().objects for _run in range(4)]

    assert counts == [1, 1, 1, 0]


def test_a_flipped_byte_of_a_xorb_is_found(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    flip(xorb_key(XORB))

    (found,) = damaged()

    assert XORB in found
    assert Xorb.objects.get().damaged_at is not None


def test_a_damaged_xorb_is_served_to_nobody(ada: XetCaller, repo: Repo) -> None:
    file = ada.put_file(CHUNKS)
    url, span = data_of(ada, file)
    flip(xorb_key(XORB))
    scrub()
    damaged()

    plan = ada.get(f"/v2/reconstructions/{to_text(file.hash)}")
    data = Client().get(url, headers={"Range": span})

    assert (plan.status_code, data.status_code) == (500, 500)
    assert XORB in plan.json()["error"]


def test_a_flipped_byte_is_never_streamed_even_before_it_is_found(
    ada: XetCaller, repo: Repo
) -> None:
    ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    found = large_content(repo, hashlib.sha256(BODY).digest(), "x")

    sent: list[bytes] = []
    with pytest.raises(DamagedXorb):
        sent.extend(found.read(0, found.size))

    assert BODY.startswith(b"".join(sent))


def test_a_reader_who_comes_upon_damage_makes_it_known(
    ada: XetCaller, cast: Cast, repo: Repo
) -> None:
    ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    first = lfs_download(cast, repo)

    with pytest.raises(DamagedXorb):
        content(first)

    assert Xorb.objects.get().damaged_at is not None
    assert lfs_download(cast, repo).status_code == 500


@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_a_damaged_blob_is_found_and_served_to_nobody(cast: Cast, repo: Repo, how: str) -> None:
    key = lfs_key(by_lfs(cast, repo))
    flip(key) if how == "flipped" else blob_store().drop(key)

    (found,) = damaged()

    assert hashlib.sha256(BODY).hexdigest() in found
    answer = lfs_download(cast, repo)
    assert answer.status_code == 500
    assert "damaged" in answer.json()["error"]


def test_what_is_damaged_as_a_blob_is_read_from_its_xorbs(
    ada: XetCaller, cast: Cast, repo: Repo
) -> None:
    key = lfs_key(by_lfs(cast, repo))
    ada.put_file(CHUNKS)
    flip(key)
    damaged()

    assert content(lfs_download(cast, repo)) == BODY


def test_uploading_a_damaged_xorb_again_heals_it(ada: XetCaller, cast: Cast, repo: Repo) -> None:
    file = ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    damaged()

    granted = ada.post(f"/v1/xorb-grants/default/{XORB}", b"{}").status_code
    sent = ada.post(f"/v1/xorbs/default/{XORB}", xorb_of(CHUNKS)[1])

    assert (granted, sent.status_code) == (404, 200)
    assert ada.read(file.hash, 0, len(BODY) - 1) == BODY
    assert damaged() == []


def test_a_damaged_file_that_comes_again_over_other_xorbs_is_whole_again(
    ada: XetCaller, repo: Repo
) -> None:
    file = ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    damaged()
    head, tail = ada.put_xorb(CHUNKS[:3]), ada.put_xorb(CHUNKS[3:])
    other = replace(FileSample.over((head, 0, 3), (tail, 0, 3)), sha256=file.sha256)

    answer = ada.post("/v1/shards", shard_of([other], [head, tail]))

    assert answer.status_code == 200
    assert ada.read(file.hash, 0, len(BODY) - 1) == BODY
    assert [one.check for one in fsck.find(Scope(deep=True)) if one.check == "file"] == []


def test_uploading_a_damaged_blob_again_heals_it(cast: Cast, repo: Repo) -> None:
    flip(lfs_key(by_lfs(cast, repo)))
    damaged()

    by_lfs(cast, repo)

    assert content(lfs_download(cast, repo)) == BODY
    assert damaged() == []


def test_clients_forget_a_damaged_xorb(ada: XetCaller, cast: Cast, repo: Repo) -> None:
    """Else they would go on referring to it for weeks instead of sending it."""
    ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    damaged()
    damaged()

    assert XetDomain.objects.get().epoch == 2
    assert XetCaller(caller(cast.ada), repo).cas.endswith(".2")


def test_bytes_that_were_put_back_count_as_good_again(cast: Cast, repo: Repo) -> None:
    key = lfs_key(by_lfs(cast, repo))
    flip(key)
    damaged()
    flip(key)

    assert damaged() == []
    assert content(lfs_download(cast, repo)) == BODY


def test_a_lost_index_is_written_anew_from_its_xorb(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    key = xorb_index_key(XORB)
    with blob_store().open(key) as file:
        before = file.read()
    flip(key, 5)

    assert damaged() == []
    with blob_store().open(key) as file:
        assert file.read() == before


def test_what_is_condemned_is_not_read(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    for model in (Xorb, XetShard):
        model.objects.update(condemned_at=timezone.now(), scrubbed_at=None)

    assert scrubbing.scrub(everything=True).objects == 0


def test_damage_stays_a_finding_until_it_is_healed(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    damaged()

    assert XORB in " ".join(one.what for one in fsck.find(Scope()) if one.check == "damage")


def test_the_command_names_what_is_damaged(ada: XetCaller) -> None:
    ada.put_file(CHUNKS)
    flip(xorb_key(XORB))
    told = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("scrub", "--all", stdout=told)

    assert ended.value.code == 1
    assert XORB in told.getvalue()
    nbytes = 300_048 + XetShard.objects.get().size
    assert f"2 objects, {nbytes:,} bytes, 1 damaged" in told.getvalue()
