"""Random use of everything, with collections in between, against the reference.

RANDOM_STEPS and RANDOM_SEED make it longer, or another.
"""

import os

from django.utils import timezone

from hub.git.objects import Kind
from hub.models import Repo, RepoBlob, XetFile, XetRepoFile, Xorb, sql
from hub.names import ROOT
from hub.queries import history, trees
from hub.queries.content import content_of
from hub.queries.store import blob_store
from hub.services import collect, collect_files, fsck
from hub.services.collect_bytes import BLOBS, XORBS
from hub.services.fsck import Scope
from hub.storage.digests import lfs_key, xorb_index_key, xorb_key
from hub.xet.hashing import to_text
from tests.cast import Cast
from tests.hub.model.reference import Large, RepoReference
from tests.hub.model.visitor import Visitor
from tests.hub.services import aging

STEPS = int(os.environ.get("RANDOM_STEPS", "2000"))
SEED = int(os.environ.get("RANDOM_SEED", "1"))


def test_what_is_reachable_is_there_and_all_else_goes(committed: Cast) -> None:
    visitor = Visitor(committed, SEED)
    for number in range(1, STEPS + 1):
        visitor.step()
        if visitor.random.random() < 0.04:
            run_gc(visitor)
        if number % 100 == 0:
            one = visitor.repos[visitor.random.choice(sorted(visitor.repos))]
            check_files(visitor, one, visitor.random.choice(sorted(one.refs)))
        if number % 500 == 0:
            assert faults(deep=False) == []

    for _day in range(60):
        visitor.note_needed()
        aging.days(1)
        visitor.day += 1
        collect.collect(now=timezone.now())
    run_gc(visitor)
    for one in visitor.repos.values():
        for ref in one.refs:
            check_files(visitor, one, ref)
        check_objects(one)
        check_rows(one)
    check_store(visitor)
    assert faults(deep=True) == []


def faults(*, deep: bool) -> list[str]:
    return [f"{found.check}: {found.what}" for found in fsck.find(Scope(deep=deep))]


def run_gc(visitor: Visitor) -> None:
    """Collect, then look whether it took too much, or less of the objects than it should."""
    visitor.note_needed()
    collect.collect(now=timezone.now())
    assert not Repo.objects.filter(dirty=True).exists()
    for one in visitor.repos.values():
        check_objects(one)
    check_grace(visitor)


def check_files(visitor: Visitor, one: RepoReference, ref: str) -> None:
    """A ref has exactly its files, and each has its bytes."""
    commit = history.commit_by_oid(one.repo.pk, one.refs[ref])
    assert commit is not None
    listed = trees.facts_of(one.repo.pk, trees.list_all(one.repo.pk, commit, ROOT))
    files = {entry.path: entry for entry in listed if not entry.is_folder}
    assert files.keys() == one.head(ref).files.keys()
    for path, content in one.head(ref).files.items():
        if isinstance(content, Large) and content.sha256 in one.purged:
            continue
        expected = visitor.contents[content[0]] if isinstance(content, Large) else content
        found = content_of(one.repo, files[path])
        assert b"".join(found.read(0, found.size)) == expected


def check_objects(one: RepoReference) -> None:
    """A repo has the commits that its refs lead to, their files and tags, and no others."""
    reachable = one.reachable()
    blobs = {blob for oid in reachable for blob in one.commits[oid].blobs()}
    rows = sql.rows("SELECT oid, kind FROM git_object WHERE repo_id = %s", [one.repo.pk])
    assert {oid for oid, kind in rows if kind == Kind.COMMIT} == reachable
    assert {oid for oid, kind in rows if kind == Kind.BLOB} == blobs
    assert sum(kind == Kind.TAG for _oid, kind in rows) == len(one.annotated)


def check_grace(visitor: Visitor) -> None:
    """Nothing is gone that somebody could come to, or sent, within its grace."""
    for sha256 in visitor.contents:
        needed = visitor.last_needed.get(sha256, float("-inf"))
        if visitor.day - needed < collect_files.GRACE.days:
            assert has_blob(sha256) or has_xorbs(visitor, sha256)
    for digest, day in visitor.last_sent.items():
        if digest in visitor.contents:
            kept = visitor.day - day < BLOBS.untouched.days
            assert not kept or has_blob(digest) or has_xorbs(visitor, digest)
        elif visitor.day - day < XORBS.untouched.days:
            assert has_xorb(digest)


def has_blob(sha256: bytes) -> bool:
    return blob_store().size(lfs_key(sha256)) is not None


def has_xorb(xorb: bytes) -> bool:
    text = to_text(xorb)
    return None not in (blob_store().size(xorb_key(text)), blob_store().size(xorb_index_key(text)))


def has_xorbs(visitor: Visitor, sha256: bytes) -> bool:
    return any(has_xorb(xorb) for xorb in visitor.xorbs.get(sha256, ()))


def check_rows(one: RepoReference) -> None:
    """A repo holds the large files that it needs, and no others."""
    rows = {bytes(row.blob_id) for row in RepoBlob.objects.filter(repo=one.repo)}
    rows |= {bytes(row.sha256) for row in XetRepoFile.objects.filter(repo=one.repo)}
    assert rows == one.needed()


def check_store(visitor: Visitor) -> None:
    """The store has the bytes that rows name, and rows are only of what repos hold."""
    held = {bytes(row.blob_id) for row in RepoBlob.objects.all()}
    assert {sha256 for sha256 in visitor.contents if has_blob(sha256)} == held
    xorbs = {xorb for xorbs in visitor.xorbs.values() for xorb in xorbs}
    known = {bytes(row.hash) for row in Xorb.objects.all()}
    assert {xorb for xorb in xorbs if has_xorb(xorb)} == known
    assert known == {bytes(row.hash) for row in Xorb.objects.exclude(file_rows=None)}
    assert not XetFile.objects.filter(repo_rows=None).exists()
