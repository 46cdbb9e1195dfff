"""publish: the one transaction behind REST commit, branches, tags and squash.

Everything costly happens before the lock. Then, under the repo's row lock, the refs are read again:
if one moved meanwhile, the change is built anew on the new head while the lock is held, so a busy
repo never retries twice. All refs move, with their objects, commits and changes — or none does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from hub.crashpoints import Point, reach
from hub.errors import RefExists, RepoNotFound
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.stored import StoredObject
from hub.models import Repo, sql
from hub.services import cards
from hub.services.filing import NewCommit, file_commits

_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_ROWS = 500

Heads = Mapping[str, bytes | None]
"""For each ref that a change is about: what it points to, None if it does not exist."""


@dataclass(frozen=True, slots=True)
class Change:
    """What to publish: objects, commits (parents first), and the refs that move."""

    updates: tuple[RefUpdate, ...] = ()
    objects: Iterable[StoredObject] = ()
    """Trees, commits and tags. The content of files is given to :func:`publish` by itself, since
    it stays the same when the change is built anew."""
    commits: Sequence[NewCommit] = ()
    makes_garbage: bool = False
    """Something may become unreachable: a ref is deleted, or moved to where it was not."""
    index_later: bool = False
    """The commits come without the paths that they changed: a job finds them out."""


@dataclass
class Published:
    """What came of it."""

    change: Change
    rebuilt: bool = False
    object_bytes: int = 0
    """Stored bytes of the change's objects that were really added."""


def publish(
    repo: Repo,
    *,
    refs: Sequence[str],
    build: Callable[[Heads], Change],
    files: Iterable[StoredObject] = (),
    verify: Callable[[], None] | None = None,
) -> Published:
    """Build a change on the present heads of ``refs`` and make it true, all or nothing.

    ``build`` may be called twice, and raises to refuse; it must not write to the database.
    ``files`` are blobs that the change's trees name. ``verify`` raises if something that the change
    relies on is not there; from then on nothing of it is collected.

    Raises:
        RepoNotFound: the repo was deleted meanwhile.
        RefExists: a ref would be a folder of another one.
    """
    heads = _heads(repo.pk, refs)
    change = build(heads)
    if not change.updates:
        return Published(change)
    reach(Point.PUBLISH_BUILT)
    with transaction.atomic():
        # Garbage collection takes this lock exclusively, so no object that a change relies on is
        # swept between the look and the commit.
        sql.run("SELECT pg_advisory_xact_lock_shared(%s)", [repo.pk])
        if verify is not None:
            verify()
        reach(Point.PUBLISH_BEFORE_INSERT)
        added = insert_objects(repo.pk, files)
        added += (object_bytes := insert_objects(repo.pk, change.objects))
        reach(Point.PUBLISH_AFTER_OBJECTS)
        next_line = _lock(repo.pk)
        reach(Point.PUBLISH_LOCKED)
        rebuilt = (now := _heads(repo.pk, refs)) != heads
        if rebuilt:
            change = build(now)
            added += (object_bytes := insert_objects(repo.pk, change.objects))
        done = Published(change, rebuilt, object_bytes)
        if change.updates:
            next_line = file_commits(
                repo.pk, change.commits, next_line, index_later=change.index_later
            )
            reach(Point.PUBLISH_AFTER_COMMITS)
            _move_refs(repo.pk, change.updates)
            reach(Point.PUBLISH_AFTER_REFS)
        _finish(repo, change, next_line, added)
        reach(Point.PUBLISH_BEFORE_COMMIT)
    reach(Point.PUBLISH_AFTER_COMMIT)
    return done


def _heads(repo_id: int, refs: Sequence[str]) -> dict[str, bytes | None]:
    rows = sql.rows(
        "SELECT name, oid FROM git_ref WHERE repo_id = %s AND name = ANY(%s)", [repo_id, list(refs)]
    )
    return dict.fromkeys(refs) | dict(rows)


def _lock(repo_id: int) -> int:
    """Take the publish lock and answer the next free line."""
    row = sql.row("SELECT next_line FROM hub_repo WHERE id = %s FOR NO KEY UPDATE", [repo_id])
    if row is None:
        raise RepoNotFound
    return int(row[0])


_INSERT_OBJECTS = """
WITH added AS (
INSERT INTO git_object (repo_id, oid, kind, size, base, lfs_oid, lfs_size, data)
SELECT %s, * FROM unnest(%s::bytea[], %s::int2[], %s::int4[], %s::bytea[], %s::bytea[],
    %s::int8[], %s::bytea[])
ON CONFLICT DO NOTHING
RETURNING octet_length(data) AS nbytes
)
SELECT coalesce(sum(nbytes), 0) FROM added
"""


def insert_objects(repo_id: int, objects: Iterable[StoredObject]) -> int:
    """Add objects in batches of bounded size; those that are there already stay as they are.

    Answers the stored bytes that were really added.
    """
    batch: list[StoredObject] = []
    nbytes = added = 0
    for one in objects:
        batch.append(one)
        nbytes += len(one.data)
        if len(batch) >= _BATCH_ROWS or nbytes >= _BATCH_BYTES:
            added += _insert_batch(repo_id, batch)
            batch, nbytes = [], 0
    return added + (_insert_batch(repo_id, batch) if batch else 0)


def _insert_batch(repo_id: int, batch: Sequence[StoredObject]) -> int:
    columns: tuple[list[Any], ...] = (
        [one.oid for one in batch],
        [int(one.kind) for one in batch],
        [one.size for one in batch],
        [one.base for one in batch],
        [one.pointer.sha256 if one.pointer else None for one in batch],
        [one.pointer.size if one.pointer else None for one in batch],
        [one.data for one in batch],
    )
    row = sql.row(_INSERT_OBJECTS, [repo_id, *columns])
    return int(row[0]) if row else 0


_IN_THE_WAY = """
SELECT r.name, w.name FROM unnest(%(new)s::text[]) AS w(name) JOIN git_ref r
ON starts_with(r.name, w.name || '/') OR starts_with(w.name, r.name || '/')
WHERE r.repo_id = %(repo)s LIMIT 1
"""


def _move_refs(repo_id: int, updates: Sequence[RefUpdate]) -> None:
    # Deletions first, so that a name is free for what the same change creates.
    for update in sorted(updates, key=lambda update: update.new is not None):
        if update.new is None:
            sql.run("DELETE FROM git_ref WHERE repo_id = %s AND name = %s", [repo_id, update.ref])
        else:
            sql.run(
                "INSERT INTO git_ref (repo_id, name, oid, updated_at) VALUES (%s, %s, %s, now()) "
                "ON CONFLICT (repo_id, name) DO UPDATE SET oid = excluded.oid, updated_at = now()",
                [repo_id, update.ref, update.new],
            )
    created = [update.ref for update in updates if update.old is None and update.new is not None]
    if created and (found := sql.row(_IN_THE_WAY, {"repo": repo_id, "new": created})):
        # Clones keep refs as files, where one name cannot be a file and a folder.
        raise RefExists(f"{found[0]} is in the way of {found[1]}")


def _finish(repo: Repo, change: Change, next_line: int, added: int) -> None:
    """Count the repo's version up and index its card if the default branch moved."""
    sql.run(
        "UPDATE hub_repo SET version = version + 1, next_line = %s, dirty = dirty OR %s, "
        "git_bytes = git_bytes + %s, last_modified = %s WHERE id = %s",
        [next_line, change.makes_garbage, added, timezone.now(), repo.pk],
    )
    for update in change.updates:
        if update.ref == BRANCHES + repo.default_branch and update.new is not None:
            cards.index(repo, update.new, _changes_between(update, change))


def _changes_between(update: RefUpdate, change: Change) -> dict[str, bool] | None:
    """The paths that the new commits changed, and whether each is gone.

    None if anything may differ: the ref is new, moved aside or to an older commit, or nobody knows
    yet.
    """
    is_known = update.old is not None and not change.makes_garbage and not change.index_later
    if not is_known or not any(commit.oid == update.new for commit in change.commits):
        return None
    return {path: gone for commit in change.commits for path, gone in commit.changes.items()}
