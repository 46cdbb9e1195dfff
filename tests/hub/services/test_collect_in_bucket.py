"""What is collected is gone from a bucket too, and what is needed stays there."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from hub.models import Blob, Repo, UnnamedKey, XetShard, Xorb
from hub.queries.content import large_content
from hub.queries.store import blob_store
from hub.queries.xet import xorb_index
from hub.services import blobs, stored_bytes
from tests.cast import Cast
from tests.hub.services.aging import days
from tests.hub.services.test_collect_files import (
    every_day,
    faults,
    land,
    name,
    run_gc,
    upload,
    upload_by_xet,
)
from tests.hub.xet.samples import HELLO
from tests.s3 import RadosGateway

pytestmark = [pytest.mark.django_db, pytest.mark.ceph]


@pytest.fixture(autouse=True)
def bucket(ceph: RadosGateway, settings: Settings) -> Iterator[None]:
    ceph.server.use(settings)
    for cached in (blob_store, xorb_index):
        cached.cache_clear()
    yield
    for cached in (blob_store, xorb_index):
        cached.cache_clear()


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo()


def keys() -> list[str]:
    return list(blob_store().keys())


def test_what_nobody_holds_goes_from_the_bucket_after_its_grace(cast: Cast, repo: Repo) -> None:
    kept = upload(cast, repo, b"named")
    land(cast, repo, name(kept))
    upload(cast, repo, b"never named")
    upload_by_xet(cast, repo)
    assert len(keys()) == 5

    every_day(9)
    after_blobs = len(keys())
    every_day(35)

    assert after_blobs == 4
    assert len(keys()) == 1
    assert large_content(repo, kept, "x").size == 5
    assert [model.objects.count() for model in (Blob, Xorb, XetShard, UnnamedKey)] == [1, 0, 0, 0]
    assert faults() == []


def test_what_is_named_stays_in_the_bucket(cast: Cast, repo: Repo) -> None:
    land(cast, repo, name(upload_by_xet(cast, repo), "xet.bin"))
    before = keys()

    every_day(60)

    assert keys() == before
    assert faults() == []


def test_what_a_killed_collection_left_in_the_bucket_goes_with_the_next(
    cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(cast, repo, b"to be collected")
    upload_by_xet(cast, repo)
    blobs.let_go(repo=repo)
    monkeypatch.setattr(stored_bytes, "drop_unnamed", lambda: 0)
    for _week in range(8):
        days(7)
        run_gc()
    left = len(keys())
    monkeypatch.undo()

    run_gc()

    assert left == 4
    assert keys() == []
    assert faults() == []


def test_what_comes_again_while_it_is_condemned_stays(cast: Cast, repo: Repo) -> None:
    sha256 = upload_by_xet(cast, repo)
    blobs.let_go(repo=repo)
    every_day(31)
    assert Xorb.objects.get().condemned_at is not None

    land(cast, repo, name(upload_by_xet(cast, repo), "xet.bin"))
    every_day(60)

    content = large_content(repo, sha256, "x")
    assert b"".join(content.read(0, content.size)) == HELLO
    assert faults() == []
