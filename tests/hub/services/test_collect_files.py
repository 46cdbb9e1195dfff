"""Large files that no commit names go, after their grace; all others stay."""

import hashlib
import os
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hub.models import Blob, Repo, RepoBlob, UnnamedKey, XetFile, XetRepoFile, Xorb
from hub.names import EntryPath, RepoName, RevisionName
from hub.queries import history
from hub.queries.content import large_content
from hub.queries.store import blob_store
from hub.services import (
    blobs,
    collect,
    commits,
    fsck,
    purges,
    refs,
    repos,
    stored_bytes,
    xet_intake,
    xet_xorbs,
)
from hub.services.blobs import held_or_adopted
from hub.services.commits import DeleteFile, Message, Operation, PutLarge
from hub.services.fsck import Scope
from hub.services.xet_tokens import issue_token
from hub.storage.digests import lfs_key, xorb_index_key, xorb_key
from hub.xet.hashing import to_text
from teams.errors import Unavailable
from teams.roles import Action
from tests.cast import Cast, signed_in
from tests.hub.services.aging import days
from tests.hub.xet.samples import HELLO, HELLO_SHARD, HELLO_XORB, index_of

pytestmark = pytest.mark.django_db
MAIN, DEV = RevisionName("main"), RevisionName("dev")


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo()


def upload(cast: Cast, repo: Repo, content: bytes) -> bytes:
    store, sha256 = blob_store(), hashlib.sha256(content).digest()
    staged = store.stage([content])
    blobs.accept(
        repo=repo, store=store, staged=staged, sha256=sha256, size=len(content), by=cast.ada
    )
    return sha256


def upload_by_xet(cast: Cast, repo: Repo) -> bytes:
    """Upload a file of one xorb; answer its SHA-256."""
    send_xorb(cast, repo)
    shard = xet_intake.check_shard(HELLO_SHARD, domain_id=domain_of(cast, repo))
    list(xet_intake.register(shard, repo=repo, by=cast.ada))
    return bytes(XetFile.objects.get().sha256)


def send_xorb(cast: Cast, repo: Repo) -> bool:
    return xet_xorbs.accept_xorb(
        xorb=index_of([HELLO]).hash,
        source=BytesIO(HELLO_XORB),
        domain_id=domain_of(cast, repo),
        by=cast.ada,
    )


def domain_of(cast: Cast, repo: Repo) -> int:
    token = issue_token(repo=repo, by=signed_in(cast.ada), action=Action.REPO_WRITE)
    return int(token.cas.partition(".")[0])


def land(cast: Cast, repo: Repo, *operations: Operation, on: RevisionName = MAIN) -> None:
    commits.commit(
        repo=repo,
        branch=on,
        operations=operations,
        message=Message("a change"),
        by=signed_in(cast.ada),
    )


def name(sha256: bytes, path: str = "large.bin") -> PutLarge:
    return PutLarge(EntryPath(path), sha256, None)


def run_gc() -> None:
    collect.collect(now=timezone.now())


def every_day(count: int) -> None:
    for _day in range(count):
        run_gc()
        days(1)
    run_gc()


def has_bytes(sha256: bytes) -> bool:
    return blob_store().size(lfs_key(sha256)) is not None


def has_xorb() -> bool:
    text = to_text(index_of([HELLO]).hash)
    there = {blob_store().size(key) is not None for key in (xorb_key(text), xorb_index_key(text))}
    assert len(there) == 1
    return there.pop()


def faults() -> list[str]:
    return [f"{found.check}: {found.what}" for found in fsck.find(Scope(deep=True))]


def test_what_was_uploaded_and_never_named_goes(cast: Cast, repo: Repo) -> None:
    sha256 = upload(cast, repo, os.urandom(10))

    every_day(6)
    young = RepoBlob.objects.count()
    every_day(1)
    condemned = (RepoBlob.objects.count(), Blob.objects.get().condemned_at is not None)
    every_day(2)

    assert (young, condemned) == (1, (0, True))
    assert (Blob.objects.count(), has_bytes(sha256)) == (0, False)
    assert faults() == []


def test_what_is_named_stays(cast: Cast, repo: Repo) -> None:
    sha256 = upload(cast, repo, b"named")
    land(cast, repo, name(sha256))
    xet = upload_by_xet(cast, repo)
    land(cast, repo, name(xet, "xet.bin"))

    every_day(100)

    assert large_content(repo, sha256, "x").size == 5
    assert large_content(repo, xet, "x").size == len(HELLO)
    assert has_xorb()
    assert faults() == []


def test_what_loses_its_last_pointer_has_seven_days_to_be_named_again(
    cast: Cast, repo: Repo
) -> None:
    sha256 = upload(cast, repo, b"comes back")
    refs.create_branch(repo=repo, branch=DEV, start=history.resolve(repo, MAIN), by=cast.ada)
    land(cast, repo, name(sha256), on=DEV)
    every_day(50)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)
    every_day(6)

    land(cast, repo, name(sha256))
    every_day(20)

    assert large_content(repo, sha256, "x").size == 10
    assert faults() == []


def test_what_loses_its_last_pointer_for_good_goes(cast: Cast, repo: Repo) -> None:
    sha256 = upload(cast, repo, b"squashed away")
    xet = upload_by_xet(cast, repo)
    land(cast, repo, name(sha256), name(xet, "xet.bin"))
    land(cast, repo, DeleteFile(EntryPath("large.bin")), DeleteFile(EntryPath("xet.bin")))
    every_day(50)
    assert has_bytes(sha256)
    refs.squash(repo=repo, branch=MAIN, message="all", by=cast.ada)

    every_day(7)
    rows = (RepoBlob.objects.count(), XetRepoFile.objects.count(), has_bytes(sha256), has_xorb())
    every_day(8)

    assert rows == (0, 0, True, True)
    assert (has_bytes(sha256), has_xorb()) == (False, False)
    assert faults() == []


def test_who_asks_for_a_file_has_time_to_name_it(cast: Cast, repo: Repo) -> None:
    sha256 = upload(cast, repo, b"asked for")
    every_day(6)
    assert held_or_adopted(repo=repo, digests=[sha256], by=signed_in(cast.ada))
    every_day(6)

    land(cast, repo, name(sha256))

    assert faults() == []


def test_what_was_deleted_for_good_is_gone_after_eight_days(cast: Cast, repo: Repo) -> None:
    sha256 = upload(cast, repo, b"to be purged")
    land(cast, repo, name(sha256))
    every_day(50)
    purges.purge(repo=repo, digests=[sha256], by=signed_in(cast.ada))

    every_day(7)
    before = has_bytes(sha256)
    every_day(2)

    assert (before, has_bytes(sha256)) == (True, False)
    assert faults() == []


def test_bytes_of_a_deleted_repo_go_unless_another_holds_them(cast: Cast, repo: Repo) -> None:
    shared, own = upload(cast, repo, b"shared"), upload(cast, repo, b"own")
    land(cast, repo, name(shared), name(own, "own.bin"))
    other = cast.repo("ada/other")
    land(cast, other, name(shared))
    every_day(50)

    repos.delete(repo=repo, by=signed_in(cast.ada))
    every_day(10)

    assert (has_bytes(shared), has_bytes(own)) == (True, False)
    assert large_content(other, shared, "x").size == 6
    assert faults() == []


def test_a_duplicate_holds_what_it_names(cast: Cast, repo: Repo) -> None:
    sha256 = upload(cast, repo, b"twice")
    xet = upload_by_xet(cast, repo)
    land(cast, repo, name(sha256), name(xet, "xet.bin"))
    copy = repos.duplicate(
        source=repo, to=RepoName("ada", "copy"), by=signed_in(cast.ada), visibility="public"
    )
    repos.delete(repo=repo, by=signed_in(cast.ada))

    every_day(60)

    assert large_content(copy, sha256, "x").size == 5
    assert large_content(copy, xet, "x").size == len(HELLO)
    assert faults() == []


def test_a_xorb_stays_thirty_days_and_seven(cast: Cast, repo: Repo) -> None:
    upload_by_xet(cast, repo)
    every_day(29)
    young = Xorb.objects.get().condemned_at
    every_day(1)
    condemned = Xorb.objects.get().condemned_at
    every_day(6)
    before = has_xorb()
    every_day(2)

    assert young is None
    assert condemned is not None
    assert (before, has_xorb(), XetFile.objects.count()) == (True, False, 0)
    assert faults() == []


def test_who_sends_a_condemned_xorb_again_saves_it(cast: Cast, repo: Repo) -> None:
    upload_by_xet(cast, repo)
    every_day(35)
    assert Xorb.objects.get().condemned_at is not None

    assert not send_xorb(cast, repo)
    every_day(20)

    assert has_xorb()
    assert Xorb.objects.get().condemned_at is None


def test_who_registers_a_file_over_a_condemned_xorb_saves_it(cast: Cast, repo: Repo) -> None:
    upload_by_xet(cast, repo)
    every_day(35)
    domain = domain_of(cast, repo)
    shard = xet_intake.check_shard(HELLO_SHARD, domain_id=domain)
    list(xet_intake.register(shard, repo=repo, by=cast.ada))
    land(cast, repo, name(bytes(XetFile.objects.get().sha256)))

    every_day(50)

    assert has_xorb()
    assert faults() == []


def test_bytes_that_are_dropped_while_they_come_again_are_refused(
    cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"in the same moment"
    sha256 = upload(cast, repo, content)
    every_day(7)
    store = type(blob_store())
    publish = store.publish

    def collect_right_after(*values: Any) -> bool:
        first = publish(*values)
        days(2)
        run_gc()
        return first

    monkeypatch.setattr(store, "publish", collect_right_after)
    with pytest.raises(Unavailable):
        upload(cast, repo, content)
    monkeypatch.undo()
    refused = (Blob.objects.count(), has_bytes(sha256))
    upload(cast, repo, content)

    assert refused == (0, False)
    assert (Blob.objects.count(), has_bytes(sha256)) == (1, True)


def test_what_a_crash_left_is_dropped_the_next_time(
    cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, back = upload(cast, repo, b"gone"), upload(cast, repo, b"comes back")
    every_day(7)
    days(2)
    monkeypatch.setattr(stored_bytes, "drop_unnamed", lambda: 0)
    run_gc()
    monkeypatch.undo()
    assert (UnnamedKey.objects.count(), Blob.objects.count()) == (2, 0)
    assert (has_bytes(gone), has_bytes(back)) == (True, True)
    upload(cast, repo, b"comes back")

    run_gc()

    assert (has_bytes(gone), has_bytes(back)) == (False, True)
    assert UnnamedKey.objects.count() == 0
    assert faults() == []


def report(*arguments: str) -> str:
    out = StringIO()
    call_command("hub_gc", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_what_it_would_do_and_then_does_it(cast: Cast, repo: Repo) -> None:
    upload(cast, repo, b"unnamed")
    refs.create_branch(repo=repo, branch=DEV, start=history.resolve(repo, MAIN), by=cast.ada)
    land(cast, repo, name(upload(cast, repo, b"branch")), on=DEV)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)
    days(8)

    told = report("--dry-run")
    as_json = report("--dry-run", "--json", "ada/tiny")
    done = report("ada/tiny")

    assert "model ada/tiny: 1 commits (0.0 MiB), 1 trees (0.0 MiB), 1 blobs (0.0 MiB)" in told
    assert "1 large files forgotten" in told
    assert told.endswith("this was a dry run.\n")
    assert '"files": {"rows": 1, "nbytes": 7}' in as_json
    assert done == told.splitlines()[0] + "\n"
    assert "ada/tiny" not in report()
    with pytest.raises(CommandError):
        report("nobody/nothing")
