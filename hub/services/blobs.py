"""Accept large files, lend them to other repos of those who can read them, and let them go."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models.functions import Now

from hub.crashpoints import Point, reach
from hub.errors import BadObject
from hub.models import Blob, Repo, RepoBlob, sql
from hub.policies import can
from hub.queries.blobs import damaged, held, holders
from hub.queries.scans import withheld
from hub.services import stored_bytes
from hub.storage.digests import lfs_key
from hub.storage.ports import BlobStore, Staged
from teams.models import User
from teams.policies import Principal
from teams.roles import Action


def accept(
    *, repo: Repo, store: BlobStore, staged: Staged, sha256: bytes, size: int, by: User | None
) -> None:
    """Publish staged bytes under their digest and let ``repo`` name them.

    The digest is the one that we computed while the bytes came in; a claim is only compared.

    Raises:
        BadObject: the bytes are not what was announced. They are dropped.
        Unavailable: the same bytes were collected in this very moment.
    """
    if (staged.sha256, staged.size) != (sha256, size):
        store.abandon(staged.name)
        raise BadObject(
            f"The upload has SHA-256 {staged.sha256.hex()} and {staged.size:,} bytes; "
            f"announced were {sha256.hex()} and {size:,}."
        )
    reach(Point.BLOB_STAGED)
    _publish(store, staged)
    reach(Point.BLOB_PUBLISHED)
    name_published(repo=repo, store=store, sha256=sha256, size=size, by=by)


def keep_unnamed(*, store: BlobStore, staged: Staged) -> None:
    """Publish staged bytes that no repo is to name: they stay for the grace of such bytes.

    Raises:
        Unavailable: the same bytes were collected in this very moment.
    """
    _publish(store, staged)
    with transaction.atomic():
        _write_row(store, staged.sha256, staged.size)


def touch_unnamed(digests: Iterable[bytes]) -> None:
    """Let the grace of bytes that no repo names begin anew."""
    Blob.objects.filter(sha256__in=list(digests)).update(touched_at=Now(), condemned_at=None)


def _publish(store: BlobStore, staged: Staged) -> None:
    if damaged([staged.sha256]):
        _heal(store, staged)
    else:
        store.publish(staged, lfs_key(staged.sha256))


def name_published(
    *, repo: Repo, store: BlobStore, sha256: bytes, size: int, by: User | None
) -> None:
    """Let ``repo`` name bytes that lie in the store; the caller knows that its uploader had them.

    Raises:
        Unavailable: they were collected since.
    """
    with transaction.atomic():
        _write_row(store, sha256, size)
        _link(repo, [sha256], by)
        reach(Point.BLOB_LINKED)
    reach(Point.BLOB_ACCEPTED)


def _write_row(store: BlobStore, sha256: bytes, size: int) -> None:
    stored_bytes.claim(store, sha256, [lfs_key(sha256)])
    # Not «do nothing»: that would not wait for who is about to delete the row.
    Blob.objects.bulk_create(
        [Blob(sha256=sha256, size=size)],
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["touched_at", "condemned_at"],
    )


@transaction.atomic
def _heal(store: BlobStore, staged: Staged) -> None:
    """Put good bytes in the place of damaged ones, which nobody is served any more."""
    stored_bytes.hold(staged.sha256)
    if damaged([staged.sha256]):
        store.drop(lfs_key(staged.sha256))
        Blob.objects.filter(sha256=staged.sha256).update(damaged_at=None)
    store.publish(staged, lfs_key(staged.sha256))


def held_or_adopted(*, repo: Repo, digests: Iterable[bytes], by: Principal) -> dict[bytes, int]:
    """Answer the sizes of those of ``digests`` that ``repo`` may name.

    One that only another repo holds is adopted if ``by`` can read that repo: knowing a digest is
    no proof of having the bytes, being able to download them is. What is answered is not collected
    for as long as an upload of now is not: whoever asks is about to name it.
    """
    wanted = set(digests)
    _touch(repo, wanted)
    found = held(repo.pk, wanted)
    missing = wanted - found.keys()
    if missing and adopt(repo=repo, digests=missing, by=by):
        found = held(repo.pk, wanted)
    return {sha256: one.size for sha256, one in found.items()}


# What was touched within the hour need not be written again: the grace is a matter of days.
_TOUCH = """
WITH blob AS (
    UPDATE hub_repoblob SET touched_at = now() WHERE repo_id = %(repo)s
    AND blob_id = ANY(%(digests)s) AND NOT is_named AND touched_at < now() - interval '1 hour'
)
UPDATE hub_xetrepofile SET touched_at = now() WHERE repo_id = %(repo)s
AND sha256 = ANY(%(digests)s) AND NOT is_named AND touched_at < now() - interval '1 hour'
"""


def _touch(repo: Repo, digests: set[bytes]) -> None:
    if digests:
        sql.run(_TOUCH, {"repo": repo.pk, "digests": list(digests)})


def adopt(*, repo: Repo, digests: Iterable[bytes], by: Principal) -> set[bytes]:
    """Link large files of repos that ``by`` can read into ``repo``; answer which."""
    found = holders(digests)
    ids = {repo_id for repo_ids in found.values() for repo_id in repo_ids}
    others = Repo.objects.select_related("namespace").in_bulk(ids)
    readable = {pk for pk, other in others.items() if can(by, Action.REPO_READ, other)}
    # What one repo withholds is not to be had by way of another.
    kept = {
        pk: withheld(others[pk], [sha256 for sha256, repo_ids in found.items() if pk in repo_ids])
        for pk in readable
    }
    sources = {
        sha256: next((pk for pk in repo_ids if pk in readable and sha256 not in kept[pk]), None)
        for sha256, repo_ids in found.items()
    }
    return _lend({sha256: pk for sha256, pk in sources.items() if pk is not None}, repo, by.user)


# The rows of the sources are held until the end, so that what they name is not collected meanwhile.
# Whoever is just taking one away is waited for: then it is not lent. Both in the order of their
# ids, so that no two callers wait in a ring. The second statement sees what became of the first's
# rows: a blob that was converted meanwhile.
_LEND = (
    """
    WITH held AS MATERIALIZED (
        SELECT r.blob_id FROM hub_repoblob r
        JOIN unnest(%(sources)s::bigint[], %(digests)s::bytea[]) AS w (repo_id, sha256)
        ON r.repo_id = w.repo_id AND r.blob_id = w.sha256
        ORDER BY r.id FOR KEY SHARE OF r
    )
    INSERT INTO hub_repoblob (repo_id, blob_id, uploaded_by_id, created_at, touched_at)
    SELECT %(repo)s, blob_id, %(by)s, now(), now() FROM held ORDER BY blob_id
    ON CONFLICT (repo_id, blob_id) DO UPDATE SET touched_at = now() RETURNING blob_id
    """,
    """
    WITH held AS MATERIALIZED (
        SELECT r.file_id, r.sha256 FROM hub_xetrepofile r
        JOIN unnest(%(sources)s::bigint[], %(digests)s::bytea[]) AS w (repo_id, sha256)
        ON r.repo_id = w.repo_id AND r.sha256 = w.sha256
        ORDER BY r.id FOR KEY SHARE OF r
    )
    INSERT INTO hub_xetrepofile (repo_id, file_id, sha256, uploaded_by_id, created_at, touched_at)
    SELECT %(repo)s, file_id, sha256, %(by)s, now(), now() FROM held ORDER BY file_id
    ON CONFLICT (repo_id, file_id) DO UPDATE SET touched_at = now() RETURNING sha256
    """,
)


@transaction.atomic
def _lend(sources: Mapping[bytes, int], repo: Repo, by: User | None) -> set[bytes]:
    """Let ``repo`` name large files, each of which another repo holds; answer which it came to."""
    values = {
        "sources": list(sources.values()),
        "digests": list(sources),
        "repo": repo.pk,
        "by": by.pk if by else None,
    }
    return {sha256 for statement in _LEND for (sha256,) in sql.rows(statement, values)}


def _link(repo: Repo, digests: Iterable[bytes], by: User | None) -> None:
    RepoBlob.objects.bulk_create(
        [RepoBlob(repo=repo, blob_id=sha256, uploaded_by=by) for sha256 in digests],
        update_conflicts=True,
        unique_fields=["repo", "blob"],
        update_fields=["touched_at"],
    )


def lend(*, source: Repo, target: Repo, digests: Iterable[bytes], by: User | None) -> set[bytes]:
    """Let ``target`` name those of ``digests`` that ``source`` holds and gives; answer which."""
    wanted = set(digests)
    return _lend(dict.fromkeys(wanted - withheld(source, wanted), source.pk), target, by)


def copy_all(*, source: Repo, target: Repo) -> None:
    """Let ``target`` name every large file that ``source`` holds; for duplicates of whole repos."""
    sql.run(
        "INSERT INTO hub_repoblob (repo_id, blob_id, uploaded_by_id, created_at) "
        "SELECT %s, blob_id, uploaded_by_id, now() FROM hub_repoblob WHERE repo_id = %s "
        "ORDER BY id FOR KEY SHARE ON CONFLICT DO NOTHING",
        [target.pk, source.pk],
    )
    sql.run(
        "INSERT INTO hub_xetrepofile (repo_id, file_id, sha256, uploaded_by_id, created_at) "
        "SELECT %s, file_id, sha256, uploaded_by_id, now() FROM hub_xetrepofile WHERE repo_id = %s "
        "ORDER BY id FOR KEY SHARE ON CONFLICT DO NOTHING",
        [target.pk, source.pk],
    )
    # Its pointers may come along; what the source no longer has, the target never had.
    sql.run(
        "INSERT INTO hub_purgedfile (repo_id, sha256, purged_by_id, created_at) "
        "SELECT %s, sha256, purged_by_id, created_at FROM hub_purgedfile WHERE repo_id = %s "
        "ON CONFLICT DO NOTHING",
        [target.pk, source.pk],
    )


# Rows are locked in one order, so that no two who let go of the same bytes wait in a ring.
_LET_GO = (
    """
    WITH held AS (
        SELECT b.sha256 FROM hub_blob b WHERE b.sha256 IN (SELECT r.blob_id FROM hub_repoblob r
            WHERE r.repo_id = %(repo)s
            AND (%(digests)s::bytea[] IS NULL OR r.blob_id = ANY(%(digests)s)))
        ORDER BY b.sha256 FOR NO KEY UPDATE
    )
    UPDATE hub_blob SET touched_at = now() WHERE sha256 IN (SELECT sha256 FROM held)
    """,
    """
    WITH held AS (
        SELECT x.id FROM hub_xorb x WHERE x.id IN (SELECT n.xorb_id FROM hub_xetfilexorb n
            JOIN hub_xetrepofile r ON r.file_id = n.file_id WHERE r.repo_id = %(repo)s
            AND (%(digests)s::bytea[] IS NULL OR r.sha256 = ANY(%(digests)s)))
        ORDER BY x.hash FOR NO KEY UPDATE
    )
    UPDATE hub_xorb SET touched_at = now() WHERE id IN (SELECT id FROM held)
    """,
    """
    DELETE FROM hub_repoblob WHERE id IN (SELECT r.id FROM hub_repoblob r
        WHERE r.repo_id = %(repo)s
        AND (%(digests)s::bytea[] IS NULL OR r.blob_id = ANY(%(digests)s))
        ORDER BY r.id FOR UPDATE)
    """,
    """
    DELETE FROM hub_xetrepofile WHERE id IN (SELECT r.id FROM hub_xetrepofile r
        WHERE r.repo_id = %(repo)s
        AND (%(digests)s::bytea[] IS NULL OR r.sha256 = ANY(%(digests)s))
        ORDER BY r.id FOR UPDATE)
    """,
)


@transaction.atomic
def let_go(*, repo: Repo, digests: Iterable[bytes] | None = None) -> None:
    """Let a repo forget large files, or all of them.

    For those that nobody else holds the days begin to count after which their bytes are collected.
    """
    values = {"repo": repo.pk, "digests": None if digests is None else list(digests)}
    for statement in _LET_GO:
        sql.run(statement, values)
