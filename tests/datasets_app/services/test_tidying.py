"""What was deleted for good leaves no rows, and nothing waits for whom nobody works."""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from datasets_app.models import CommitSnapshot, Config, Shard, Snapshot, State
from datasets_app.queries.rows import _kept
from datasets_app.services import tidying
from datasets_app.services.publishing import EXPORT_REF, own_ref
from hub.models import Job, Repo, RepoBlob
from hub.names import EntryPath, RevisionName
from hub.queries.history import commit_by_oid, ref_oid
from hub.queries.store import blob_store
from hub.services import blobs, commits, jobs, purges
from hub.services.commits import Message, PutLarge
from hub.services.working import work_off
from teams.policies import Principal
from tests.cast import Cast
from tests.datasets_app.hub_of_data import dataset, put, snapshot, work
from tests.datasets_app.services.test_exporting import exported, rows_of

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/datasets-server"
TRAIN = {"config": "default", "split": "train"}
SECRET = b"a,b\n1,secret\n2,secret\n"


def put_large(cast: Cast, repo: Repo, path: str, raw: bytes) -> bytes:
    store, sha256 = blob_store(), hashlib.sha256(raw).digest()
    staged = store.stage(iter([raw]))
    blobs.accept(repo=repo, store=store, staged=staged, sha256=sha256, size=len(raw), by=cast.ada)
    commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutLarge(EntryPath(path), sha256, len(raw))],
        message=Message("Add a large file"),
        by=Principal(cast.ada, may_change=True),
    )
    return sha256


def asked(repo: Repo, what: str) -> int:
    _kept.clear()
    return Client().get(f"{API}/{what}", {"dataset": str(repo), **TRAIN}).status_code


def test_rows_of_a_file_that_was_deleted_for_good_are_nowhere(cast: Cast) -> None:
    repo = dataset(cast)
    sha256 = put_large(cast, repo, "train-1.csv", SECRET)
    put(cast, repo, {"train-2.csv": b"a,b\n3,open\n"})
    work()
    assert {asked(repo, what) for what in ("rows", "first-rows", "statistics")} == {200}
    old = {bytes(row.sha256 or b"") for row in Shard.objects.filter(source__path="train-1.csv")}

    purges.purge(repo=repo, digests=[sha256], by=Principal(cast.ada, may_change=True))
    at_once = {asked(repo, what) for what in ("rows", "first-rows", "statistics")}
    work()
    tidying.forget(now=timezone.now())
    work()

    assert 200 not in at_once
    assert rows_of(repo) == [{"a": 3, "b": "open"}]
    assert asked(repo, "rows") == 200
    commit = commit_by_oid(repo.pk, ref_oid(repo.pk, EXPORT_REF) or b"")
    assert commit is not None
    assert not commit.parents
    assert not RepoBlob.objects.filter(repo=repo, blob__in=old).exists()


def test_the_export_keeps_nothing_where_all_data_was_deleted(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": SECRET})
    work()
    put(cast, repo, {"train.csv": None, "README.md": b"# Empty\n"})

    work()

    assert exported(repo) == {}


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_config_whose_export_was_cancelled_says_so_and_may_begin_anew(
    cast: Cast,
    is_begun: bool,  # noqa: FBT001
) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": SECRET})
    while not Job.objects.filter(kind="datasets.export").exists():
        assert work_off("cpu")
    job = Job.objects.get(kind="datasets.export")
    if is_begun:
        Job.objects.filter(pk=job.pk).update(cancel_asked_at=timezone.now(), attempt=1)
    else:
        jobs.cancel(job, by=Principal(cast.ada, may_change=True))
    work()

    tidying.settle_ended()
    told = Client().get(f"{API}/rows", {"dataset": str(repo), **TRAIN})
    put(cast, repo, {"README.md": b"# Again\n"})
    work()

    assert told["X-Error-Code"] == "JobCancelledError"
    assert len(rows_of(repo)) == 2


def test_a_snapshot_that_nobody_came_back_for_goes_after_thirty_days(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": b"a\n1\n"})
    work()
    old = snapshot(repo)
    put(cast, repo, {"train.csv": b"a\n2\n"})
    work()

    tidying.forget(now=timezone.now())
    kept = Snapshot.objects.filter(pk=old.pk).exists()
    tidying.forget(now=timezone.now() + timedelta(days=31))

    assert kept
    assert list(Snapshot.objects.all()) == [snapshot(repo)]
    assert ref_oid(repo.pk, own_ref(old)) is None
    assert rows_of(repo) == [{"a": 2}]


def test_a_shard_that_is_lost_is_made_again(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": SECRET})
    work()
    RepoBlob.objects.filter(repo=repo).delete()
    CommitSnapshot.objects.all().delete()
    put(cast, repo, {"README.md": b"# Again\n"})

    work()

    assert Config.objects.get().state == State.READY
    assert len(rows_of(repo)) == 2
