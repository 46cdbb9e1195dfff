"""Collections beside commits, pushes and uploads: nothing that was acknowledged is lost."""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count
from random import Random

from django.db import connection
from django.utils import timezone

from hub.models import Blob, Repo, UnnamedKey, Xorb
from hub.names import EntryPath, RevisionName
from hub.queries import history
from hub.queries.content import large_content
from hub.queries.store import blob_store
from hub.services import (
    blobs,
    collect,
    collect_bytes,
    collect_files,
    commits,
    fsck,
    refs,
    xet_intake,
    xet_xorbs,
)
from hub.services.collect import RepoReport
from hub.services.collect_bytes import BLOBS, XORBS
from hub.services.commits import Message, PutFile
from hub.services.fsck import Scope
from hub.services.xet_tokens import issue_token
from hub.storage.digests import lfs_key
from teams.errors import Refusal
from teams.roles import Action
from tests.cast import Cast, signed_in
from tests.hub.xet.samples import FileSample, index_of, shard_of, xorb_of

SECONDS = 4.0
Work = Callable[[int], None]


def beside(*works: Work) -> None:
    """Repeat each work in a thread of its own until time is up; who fails fails the test."""
    end = time.monotonic() + SECONDS

    def repeat(work: Work) -> None:
        try:
            for number in count():
                work(number)
                if time.monotonic() > end:
                    return
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(repeat, work) for work in works]:
            done.result()


def faults() -> list[str]:
    return [f"{found.check}: {found.what}" for found in fsck.find(Scope(deep=True))]


class Writer:
    """Commits to one branch, and keeps what was acknowledged."""

    def __init__(self, cast: Cast, repo: Repo, name: str, branch: str) -> None:
        self.by, self.repo, self.name, self.branch = signed_in(cast.ada), repo, name, branch
        self.acked: list[bytes] = []

    def __call__(self, number: int) -> None:
        files = [f"{self.name}/{number % 7}.txt", f"many/{number % 50}.txt", "hot.txt"]
        oid = commits.commit(
            repo=self.repo,
            branch=RevisionName(self.branch),
            operations=[PutFile(EntryPath(path), b"%d" % (number % 9)) for path in files],
            message=Message(f"{self.name} {number}"),
            by=self.by,
        )
        self.acked.append(oid)


def churn(cast: Cast, repo: Repo) -> Work:
    """Make garbage: branch off, commit, squash, and delete the branch again."""
    branch = RevisionName("churn")

    def work(number: int) -> None:
        start = history.resolve(repo, RevisionName("main"))
        refs.create_branch(repo=repo, branch=branch, start=start, by=cast.ada)
        Writer(cast, repo, "churn", "churn")(number)
        refs.squash(repo=repo, branch=branch, message=f"{number}", by=cast.ada)
        Writer(cast, repo, "churn", "churn")(number + 1)
        refs.delete_branch(repo=repo, branch=branch, by=cast.ada)

    return work


def test_no_commit_is_lost_beside_collections(committed: Cast) -> None:
    repo = committed.repo()
    start = history.resolve(repo, RevisionName("main"))
    refs.create_branch(repo=repo, branch=RevisionName("dev"), start=start, by=committed.ada)
    writers = [
        Writer(committed, repo, name, branch)
        for name, branch in (("one", "main"), ("two", "main"), ("three", "dev"))
    ]
    swept: list[RepoReport] = []

    def gc(_number: int) -> None:
        done = list(collect.collect_repos(now=timezone.now()))
        swept.extend(report for report in done if report.objects)

    beside(*writers, churn(committed, repo), gc)

    for writer in writers:
        head = history.resolve(repo, RevisionName(writer.branch))
        landed = {row.oid for row in history.log(repo.pk, head, 100_000)}
        assert landed.issuperset(writer.acked)
        assert writer.acked
    list(collect.collect_repos(now=timezone.now()))
    assert swept
    assert not Repo.objects.get(pk=repo.pk).dirty
    assert faults() == []


def far_away(number: int) -> datetime:
    """A moment at which all that is old is too old, later for each number."""
    return timezone.now() + timedelta(days=100 * (number + 1))


def delete_all(number: int) -> None:
    """Collect bytes as if there were no grace at all."""
    now = far_away(number)
    for kept in (BLOBS, XORBS):
        collect_files.delete_unheld()
        collect_bytes.condemn(kept, now=now)
        collect_bytes.delete(kept, now=now + timedelta(days=50))


class Uploader:
    """Uploads one of few large files, finds it whole, and lets it go."""

    def __init__(self, cast: Cast, repo: Repo, seed: int) -> None:
        self.by, self.repo, self.random = signed_in(cast.ada), repo, Random(seed)
        self.whole = self.refused = 0
        token = issue_token(repo=repo, by=self.by, action=Action.REPO_WRITE)
        self.domain = int(token.cas.partition(".")[0])

    def __call__(self, _number: int) -> None:
        content = b"one of few %d" % self.random.randrange(3)
        sha256 = hashlib.sha256(content).digest()
        try:
            self.random.choice([self._by_lfs, self._by_xet])(content, sha256)
        except Refusal:
            self.refused += 1
            return
        found = large_content(self.repo, sha256, "x")
        assert b"".join(found.read(0, found.size)) == content
        self.whole += 1
        blobs.let_go(repo=self.repo, digests=[sha256])

    def _by_lfs(self, content: bytes, sha256: bytes) -> None:
        store = blob_store()
        blobs.accept(
            repo=self.repo,
            store=store,
            staged=store.stage([content]),
            sha256=sha256,
            size=len(content),
            by=self.by.user,
        )

    def _by_xet(self, content: bytes, sha256: bytes) -> None:
        xorb, body = xorb_of([content])
        xet_xorbs.accept_xorb(
            xorb=xorb, source=BytesIO(body), domain_id=self.domain, by=self.by.user
        )
        index = index_of([content])
        file = replace(FileSample.over((index, 0, 1)), sha256=sha256)
        shard = xet_intake.check_shard(shard_of([file], [index]), domain_id=self.domain)
        list(xet_intake.register(shard, repo=self.repo, by=self.by.user))


def test_no_row_is_left_without_bytes_beside_collections(committed: Cast) -> None:
    uploaders = [
        Uploader(committed, committed.repo(f"ada/{name}"), seed)
        for seed, name in enumerate(("one", "two", "three"))
    ]

    beside(*uploaders, delete_all, delete_all)

    assert all(uploader.whole for uploader in uploaders)
    assert faults() == []
    delete_all(10_000)
    assert not any(model.objects.exists() for model in (Blob, Xorb, UnnamedKey))
    gone = [hashlib.sha256(b"one of few %d" % number).digest() for number in range(3)]
    assert {blob_store().size(lfs_key(sha256)) for sha256 in gone} == {None}


class Borrower:
    """Adopts one of few large files from whoever holds it just now, and lets it go."""

    def __init__(self, cast: Cast, repo: Repo, seed: int) -> None:
        self.by, self.repo, self.random = signed_in(cast.ada), repo, Random(seed)
        self.whole = 0

    def __call__(self, _number: int) -> None:
        content = b"one of few %d" % self.random.randrange(3)
        sha256 = hashlib.sha256(content).digest()
        if blobs.held_or_adopted(repo=self.repo, digests=[sha256], by=self.by):
            found = large_content(self.repo, sha256, "x")
            assert b"".join(found.read(0, found.size)) == content
            self.whole += 1
            blobs.let_go(repo=self.repo, digests=[sha256])


def test_what_was_adopted_stays_beside_collections(committed: Cast) -> None:
    uploaders = [
        Uploader(committed, committed.repo(f"ada/{name}"), seed)
        for seed, name in enumerate(("one", "two"))
    ]
    borrowers = [
        Borrower(committed, committed.repo(f"ada/{name}"), seed)
        for seed, name in enumerate(("three", "four"))
    ]

    beside(*uploaders, *borrowers, delete_all)

    assert all(borrower.whole for borrower in borrowers)
    assert faults() == []
