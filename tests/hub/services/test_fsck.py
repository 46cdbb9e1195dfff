import hashlib
import json
import os
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hub.models import Blob, Like, PurgedFile, Repo, RepoBlob, RepoCard, RepoRedirect, Xorb, sql
from hub.names import EntryPath, RepoName, RevisionName
from hub.queries import history
from hub.queries.fsck.large_files import sha256_in
from hub.queries.fsck.leftovers import GRACE, STAGING_LIFE
from hub.queries.store import blob_store
from hub.services import (
    blobs,
    commits,
    fsck,
    refs,
    repos,
    scrubbing,
    sweeping,
    xet_intake,
    xet_tokens,
    xet_xorbs,
)
from hub.services.commits import DeleteFile, Message, Operation, PutFile, PutLarge
from hub.services.fsck import Scope
from hub.storage.digests import lfs_key, xorb_index_key, xorb_key
from hub.xet.hashing import to_text
from teams.roles import Action
from tests.cast import Cast, signed_in
from tests.hub.xet.samples import HELLO, HELLO_SHARD, HELLO_XORB, index_of

pytestmark = pytest.mark.django_db


def land(cast: Cast, repo: Repo, *operations: Operation, on: str = "main") -> bytes:
    return commits.commit(
        repo=repo,
        branch=RevisionName(on),
        operations=operations,
        message=Message("a change"),
        by=signed_in(cast.ada),
    )


def put(path: str, content: bytes = b"x") -> PutFile:
    return PutFile(EntryPath(path), content)


def upload(cast: Cast, repo: Repo, content: bytes) -> PutLarge:
    store, sha256 = blob_store(), hashlib.sha256(content).digest()
    staged = store.stage([content])
    size = len(content)
    blobs.accept(repo=repo, store=store, staged=staged, sha256=sha256, size=size, by=cast.ada)
    return PutLarge(EntryPath("large.bin"), sha256, size)


def upload_by_xet(cast: Cast, repo: Repo) -> bytes:
    xorb = index_of([HELLO]).hash
    domain = int(
        xet_tokens.issue_token(
            repo=repo, by=signed_in(cast.ada), action=Action.REPO_WRITE
        ).cas.partition(".")[0]
    )
    xet_xorbs.accept_xorb(xorb=xorb, source=BytesIO(HELLO_XORB), domain_id=domain, by=cast.ada)
    list(
        xet_intake.register(
            xet_intake.check_shard(HELLO_SHARD, domain_id=domain), repo=repo, by=cast.ada
        )
    )
    return xorb


@pytest.fixture
def repo(cast: Cast) -> Repo:
    """A repo with folders, branches, tags, merges of none, and a large file of each form."""
    repo = cast.repo()
    land(cast, repo, put("a/b/one.txt"), put("a/two.txt"), put("README.md", b"# Tiny"))
    first = land(
        cast, repo, upload(cast, repo, os.urandom(64)), DeleteFile(EntryPath("a/b/one.txt"))
    )
    start = history.commit_by_oid(repo.pk, first)
    assert start is not None
    refs.create_branch(repo=repo, branch=RevisionName("dev"), start=start, by=cast.ada)
    land(cast, repo, put("a/three.txt"))
    land(cast, repo, put("b.txt"), on="dev")
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=start, message="one", by=cast.ada)
    upload_by_xet(cast, repo)
    return repo


def checks(*, deep: bool = False, only: Repo | None = None) -> list[str]:
    return [found.check for found in fsck.find(Scope((only,) if only else None, deep=deep))]


def test_a_repo_that_was_used_in_every_way_is_clean(cast: Cast, repo: Repo) -> None:
    copy = RepoName("ada", "copy")
    repos.duplicate(source=repo, to=copy, by=signed_in(cast.ada), visibility="public")
    refs.squash(repo=repo, branch=RevisionName("dev"), message="all", by=cast.ada)
    repos.move(repo=repo, to=RepoName("acme", "moved"), by=signed_in(cast.ada))

    assert list(fsck.find(Scope(deep=True))) == []


DAMAGE = {
    "a ref points nowhere": (
        "ref",
        "UPDATE git_ref SET oid = '\\x00' WHERE name = 'refs/heads/dev'",
    ),
    "the default branch is gone": ("ref", "DELETE FROM git_ref WHERE name = 'refs/heads/main'"),
    "an object is lost": ("tree", "DELETE FROM git_object WHERE kind = 3 AND lfs_oid IS NULL"),
    "a tag's object is lost": ("ref", "DELETE FROM git_object WHERE kind = 4"),
    "an object is cut": ("object", "UPDATE git_object SET data = '\\x78' WHERE kind = 2"),
    "an object is another": (
        "object",
        "UPDATE git_object SET data = (SELECT max(data) FROM git_object WHERE kind = 1)",
    ),
    "a size is wrong": ("object", "UPDATE git_object SET size = size + 1 WHERE kind = 3"),
    "a base is lost": ("object", "UPDATE git_object SET base = '\\x00' WHERE kind = 2"),
    "a pointer's row lies": ("object", "UPDATE git_object SET lfs_size = 1 WHERE lfs_size = 64"),
    "a commit's object is lost": ("commit", "DELETE FROM git_object WHERE kind = 1"),
    "a commit's tree is another": (
        "commit",
        "UPDATE git_commit SET tree = (SELECT tree FROM git_commit WHERE pos = 1 AND line = 1)",
    ),
    "a parent is lost": ("commit", "DELETE FROM git_commit WHERE line = 1 AND pos = 2"),
    "a line has a hole": ("line", "UPDATE git_commit SET pos = 9 WHERE line = 1 AND pos = 4"),
    "a line begins elsewhere": ("line", "UPDATE git_line SET parent_pos = 1 WHERE line = 2"),
    "a line has no row": ("line", "DELETE FROM git_line WHERE line = 2"),
    "a line would be used again": ("line", "UPDATE hub_repo SET next_line = 1"),
    "a change has no commit": ("change", "UPDATE path_change SET pos = 99 WHERE pos = 1"),
    "a large file is not held": ("pointer", "DELETE FROM hub_repoblob"),
    "a pointer's size is wrong": ("pointer", "UPDATE hub_blob SET size = 63"),
    "likes are miscounted": ("counter", "UPDATE hub_repo SET likes = 7"),
    "bytes are miscounted": ("counter", "UPDATE hub_repo SET git_bytes = 7"),
    "downloads are made up": ("downloads", "UPDATE hub_repo SET downloads = 7"),
    "an event is lost": (
        "event",
        "DELETE FROM hub_event WHERE seq = (SELECT max(seq) FROM hub_event)",
    ),
    "a card is missing": ("card", "DELETE FROM hub_repocard"),
    "a repo is gone but its history": ("orphan", "UPDATE git_line SET repo_id = 0 WHERE line = 1"),
    "a file needs another xorb": ("file", "DELETE FROM hub_xetfilexorb"),
    "a file has another size": ("file", "UPDATE hub_xetfile SET size = 1"),
    "a term is out of its xorb": (
        "file",
        "UPDATE hub_xetfile SET terms = overlay(terms PLACING '\\x07' FROM 13)",
    ),
    "a repo holds a file as another": ("file", "UPDATE hub_xetrepofile SET sha256 = '\\x00'"),
    "a xorb's row lies": ("xorb", "UPDATE hub_xorb SET n_chunks = 2"),
    "a xorb's chunks lie elsewhere": ("xorb", "UPDATE hub_xorb SET chunk_ends = chunk_lens"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_of_rows_is_found(repo: Repo, damage: str) -> None:
    check, statement = DAMAGE[damage]
    assert sql.run(statement)

    assert check in checks()


DEEP_DAMAGE = {
    "a change is not filed": "DELETE FROM path_change WHERE name = 'two.txt'",
    "a change is filed as gone": "UPDATE path_change SET deleted = true WHERE name = 'two.txt'",
}


@pytest.mark.parametrize("damage", DEEP_DAMAGE)
def test_damage_of_filed_changes_is_found_by_looking_deep(repo: Repo, damage: str) -> None:
    assert sql.run(DEEP_DAMAGE[damage])

    assert checks() == []
    assert checks(deep=True) == ["change"]


def test_lost_bytes_are_found(repo: Repo) -> None:
    blob_store().drop(lfs_key(bytes(Blob.objects.get().sha256)))

    assert checks(only=repo) == ["blob"]


def test_cut_bytes_are_found(repo: Repo) -> None:
    path = blob_store().path(lfs_key(bytes(Blob.objects.get().sha256)))
    assert path is not None
    path.write_bytes(b"short")

    assert checks() == ["blob"]


def test_changed_bytes_are_found_by_looking_deep(repo: Repo) -> None:
    path = blob_store().path(lfs_key(bytes(Blob.objects.get().sha256)))
    assert path is not None
    path.write_bytes(bytes(64))

    assert checks() == []
    assert checks(deep=True) == ["blob"]


def test_damage_stays_a_finding_and_is_served_to_nobody_once_it_was_to_be_repaired(
    cast: Cast, repo: Repo
) -> None:
    sha256 = bytes(Blob.objects.get().sha256)
    home = blob_store().path(lfs_key(sha256))
    assert home
    good = home.read_bytes()
    home.write_bytes(bytes(64))

    (found,) = fsck.find(Scope(deep=True))
    repaired = fsck.repair(found)
    known = checks()
    home.write_bytes(good)
    scrubbing.scrub(everything=True)

    assert (found.check, repaired, known) == ("blob", False, ["damage"])
    assert checks(deep=True) == []


def test_what_the_disk_cannot_read_is_damage_and_no_crash(repo: Repo) -> None:
    home = blob_store().path(lfs_key(bytes(Blob.objects.get().sha256)))
    assert home
    good = home.read_bytes()
    home.unlink()
    # Linux answers EIO to who reads where no memory is.
    home.symlink_to("/proc/self/mem")

    report = scrubbing.scrub(everything=True)
    hashed = sha256_in(blob_store(), lfs_key(bytes(Blob.objects.get().sha256)))
    home.unlink()
    home.write_bytes(good)

    assert [one.endswith("The disk cannot read it.") for one in report.damaged] == [True]
    assert hashed == b""


def test_a_lost_or_damaged_xorb_is_found(repo: Repo) -> None:
    text = to_text(bytes(Xorb.objects.get().hash))
    home = blob_store().path(xorb_key(text))
    assert home is not None
    whole = home.read_bytes()

    home.write_bytes(whole.replace(b"World", b"Wyrld"))
    changed = (checks(), set(checks(deep=True)))
    home.unlink()
    lost = checks()
    home.write_bytes(whole)
    blob_store().drop(xorb_index_key(text))
    without_index = checks()

    assert changed == ([], {"xorb", "file"})
    assert (lost, without_index) == (["xorb"], ["index"])


def test_a_stale_card_is_found_by_looking_deep_and_repaired(repo: Repo) -> None:
    RepoCard.objects.update(body="other", tags=["made-up"])

    findings = list(fsck.find(Scope((repo,), deep=True)))

    assert [found.what for found in findings] == ["the card is out of date in body, tags"]
    assert all(fsck.repair(found) for found in findings)
    assert checks(deep=True) == []


def test_counters_and_missing_cards_are_repaired(cast: Cast, repo: Repo) -> None:
    Like.objects.create(user=cast.ben, repo=repo)
    Repo.objects.update(git_bytes=0, downloads=9, downloads_all_time=9)
    RepoCard.objects.all().delete()

    assert [fsck.repair(found) for found in fsck.find(Scope())] == [True] * 4

    assert checks(deep=True) == []
    assert Repo.objects.get(pk=repo.pk).likes == 1


def test_a_loss_is_not_repaired(repo: Repo) -> None:
    RepoBlob.objects.all().delete()

    assert [fsck.repair(found) for found in fsck.find(Scope())] == [False]


def test_a_file_that_was_deleted_for_good_is_not_missed(repo: Repo) -> None:
    held = RepoBlob.objects.get()
    PurgedFile.objects.create(repo=repo, sha256=held.blob_id)
    held.delete()

    assert checks() == []


def unnamed_bytes(content: bytes) -> str:
    store = blob_store()
    key = lfs_key(hashlib.sha256(content).digest())
    store.publish(store.stage([content]), key)
    return key


def test_bytes_without_a_row_are_told_once_they_are_old_and_dropped(repo: Repo) -> None:
    key = unnamed_bytes(os.urandom(8))
    later = timezone.now() + GRACE["lfs/"] + timedelta(minutes=1)

    young = list(fsck.find(Scope()))
    old = [found for found in fsck.find(Scope(), now=later) if found.check == "unnamed"]

    assert young == []
    assert key in {found.key for found in old}
    assert all(fsck.repair(found) for found in old)
    assert blob_store().size(key) is None


def test_bytes_that_got_their_row_meanwhile_are_not_dropped(cast: Cast, repo: Repo) -> None:
    content = os.urandom(8)
    key = unnamed_bytes(content)
    later = timezone.now() + GRACE["lfs/"] + timedelta(minutes=1)
    old = [found for found in fsck.find(Scope(), now=later) if found.key == key]
    upload(cast, repo, content)

    assert [fsck.repair(found) for found in old] == [True]

    assert blob_store().size(key) == 8


def test_a_lost_or_cut_index_is_written_again_from_the_xorb(repo: Repo) -> None:
    text = to_text(bytes(Xorb.objects.get().hash))
    home = blob_store().path(xorb_index_key(text))
    assert home is not None
    whole = home.read_bytes()

    for damage in (home.unlink, lambda: home.write_bytes(whole[:-1])):
        damage()
        assert [fsck.repair(found) for found in fsck.find(Scope())] == [True]
        assert home.read_bytes() == whole
    assert checks(deep=True) == []


def test_no_index_is_written_from_a_damaged_xorb(repo: Repo) -> None:
    text = to_text(bytes(Xorb.objects.get().hash))
    home = blob_store().path(xorb_key(text))
    assert home is not None
    home.write_bytes(home.read_bytes().replace(b"World", b"Wyrld"))
    blob_store().drop(xorb_index_key(text))

    findings = list(fsck.find(Scope()))
    repaired = [fsck.repair(found) for found in findings]
    blob_store().drop(xorb_key(text))

    assert ([found.check for found in findings], repaired) == (["index"], [False])
    assert blob_store().size(xorb_index_key(text)) is None


def test_garbage_that_nobody_noted_is_found_and_noted(cast: Cast, repo: Repo) -> None:
    refs.delete_branch(repo=repo, branch=RevisionName("dev"), by=cast.ada)
    Repo.objects.update(dirty=False)

    findings = list(fsck.find(Scope()))

    assert [found.check for found in findings] == ["garbage"]
    assert all(fsck.repair(found) for found in findings)
    assert Repo.objects.get(pk=repo.pk).dirty
    assert checks() == []


def test_a_wrong_note_of_a_pointer_is_found_and_taken_back(cast: Cast, repo: Repo) -> None:
    upload(cast, repo, b"never named")
    RepoBlob.objects.update(is_named=True)

    findings = list(fsck.find(Scope()))

    assert [found.check for found in findings] == ["note"]
    assert all(fsck.repair(found) for found in findings)
    assert not RepoBlob.objects.filter(is_named=True)


def test_stale_staging_is_told_and_swept_while_young_bytes_stay(repo: Repo) -> None:
    store = blob_store()
    store.stage([b"young"], name="young")
    store.stage([b"old"], name="old")
    old = (timezone.now() - STAGING_LIFE - timedelta(minutes=1)).timestamp()
    staging = next(folder for folder in store._root.iterdir() if folder.name == "staging")  # type: ignore[attr-defined]
    os.utime(staging / "old", (old, old))

    assert checks() == ["staging"]
    assert sweeping.sweep_staging() == 1
    assert checks() == []
    assert store.stage([b"young"], name="young").size == 5
    store.abandon("young")


def test_a_redirect_over_a_repo_is_found(repo: Repo) -> None:
    RepoRedirect.objects.create(kind="model", old_name="ada/tiny", repo=repo)

    assert checks() == ["redirect"]


def test_the_command_is_silent_about_good_data_and_exits_well(repo: Repo) -> None:
    out = StringIO()

    call_command("hub_fsck", repo="Ada/Tiny", stdout=out)

    assert out.getvalue() == "0 findings, 0 repaired\n"


def test_the_command_exits_with_the_number_of_findings(repo: Repo) -> None:
    out = StringIO()
    RepoBlob.objects.all().delete()
    Repo.objects.update(likes=5)

    with pytest.raises(SystemExit) as end:
        call_command("hub_fsck", "--json", stdout=out)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert end.value.code == 2
    assert [line.get("check") for line in lines] == ["pointer", "counter", None]
    assert lines[0]["repo"] == "ada/tiny"


def test_the_command_exits_well_after_a_repair(repo: Repo) -> None:
    out = StringIO()
    Repo.objects.update(likes=5)

    call_command("hub_fsck", "--repair", stdout=out)

    told, summary = out.getvalue().splitlines()
    assert told == "counter: model ada/tiny: likes says 5, counted are 0 (repaired)"
    assert summary == "0 findings, 1 repaired"


def test_the_command_refuses_a_name_that_nobody_has(db: None) -> None:
    with pytest.raises(CommandError, match="no repo called ada/none"):
        call_command("hub_fsck", repo="ada/none")
