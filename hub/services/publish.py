"""publish: the one transaction behind REST commit, branches, tags and squash.

Everything costly happens before the lock. Then, under the repo's row lock, the refs are read again:
if one moved meanwhile, the change is built anew on the new head while the lock is held, so a busy
repo never retries twice. All refs move, with their objects, commits and changes — or none does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from hub.errors import RepoNotFound
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.stored import StoredObject
from hub.models import Repo, sql
from hub.queries.history import commits_by_oid, dir_key
from hub.services import cards

_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_ROWS = 500

Heads = Mapping[str, bytes | None]
"""For each ref that a change is about: what it points to, None if it does not exist."""


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to add: its row, the paths that it changed, and whether each is gone."""

    oid: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    author: str
    author_id: int | None
    created_at: datetime
    title: str
    message: str
    changes: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Change:
    """What to publish: objects, commits (parents first), and the refs that move."""

    updates: tuple[RefUpdate, ...] = ()
    objects: Sequence[StoredObject] = ()
    """Trees, commits and tags. The content of files is given to :func:`publish` by itself, since
    it stays the same when the change is built anew."""
    commits: Sequence[NewCommit] = ()
    makes_garbage: bool = False
    """Something may become unreachable: a ref is deleted, or moved to where it was not."""


@dataclass
class Published:
    """What came of it."""

    change: Change
    rebuilt: bool = False
    places: dict[bytes, tuple[int, int]] = field(default_factory=dict)


def publish(
    repo: Repo,
    *,
    refs: Sequence[str],
    build: Callable[[Heads], Change],
    files: Iterable[StoredObject] = (),
) -> Published:
    """Build a change on the present heads of ``refs`` and make it true, all or nothing.

    ``build`` may be called twice, and raises to refuse; it must not write to the database.
    ``files`` are blobs that the change's trees name.

    Raises:
        RepoNotFound: the repo was deleted meanwhile.
    """
    heads = _heads(repo.pk, refs)
    change = build(heads)
    if not change.updates:
        return Published(change)
    with transaction.atomic():
        # Garbage collection takes this lock exclusively, so no object that a change relies on is
        # swept between the look and the commit.
        sql.run("SELECT pg_advisory_xact_lock_shared(%s)", [repo.pk])
        added = insert_objects(repo.pk, files) + insert_objects(repo.pk, change.objects)
        next_line = _lock(repo.pk)
        rebuilt = (now := _heads(repo.pk, refs)) != heads
        if rebuilt:
            change = build(now)
            added += insert_objects(repo.pk, change.objects)
        done = Published(change, rebuilt)
        if change.updates:
            next_line = _insert_commits(repo.pk, change.commits, next_line, done.places)
            _move_refs(repo.pk, change.updates)
        _finish(repo, change, next_line, added)
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


def _insert_commits(
    repo_id: int,
    commits: Sequence[NewCommit],
    next_line: int,
    places: dict[bytes, tuple[int, int]],
) -> int:
    """Give each commit its place in a line, and file its changes; answer the next free line."""
    firsts = [commit.parents[0] for commit in commits if commit.parents]
    known = commits_by_oid(repo_id, [*firsts, *(commit.oid for commit in commits)])
    places.update({oid: (row.line, row.pos) for oid, row in known.items()})
    for commit in commits:
        if commit.oid in known:
            # The same change by the same author in the same second is the same commit.
            continue
        parent = places[commit.parents[0]] if commit.parents else None
        if parent is not None and _is_tip(repo_id, parent):
            line, pos = parent[0], parent[1] + 1
        else:
            line, pos = next_line, 1
            next_line += 1
            sql.run(
                "INSERT INTO git_line (repo_id, line, parent_line, parent_pos) "
                "VALUES (%s, %s, %s, %s)",
                [repo_id, line, *(parent or (None, None))],
            )
        places[commit.oid] = (line, pos)
        _insert_commit(repo_id, commit, line, pos)
    return next_line


def _is_tip(repo_id: int, place: tuple[int, int]) -> bool:
    row = sql.row(
        "SELECT 1 FROM git_commit WHERE repo_id = %s AND line = %s AND pos = %s",
        [repo_id, place[0], place[1] + 1],
    )
    return row is None


_INSERT_COMMIT = """
INSERT INTO git_commit (repo_id, oid, line, pos, tree, parents, author, author_id, created_at,
    title, message)
VALUES (%s, %s, %s, %s, %s, %s::bytea[], %s, %s, %s, %s, %s)
"""
_INSERT_CHANGES = """
INSERT INTO path_change (repo_id, dir_key, name, line, pos, deleted)
SELECT %s, k, n, %s, %s, d FROM unnest(%s::bytea[], %s::text[], %s::bool[]) AS c(k, n, d)
"""


def _insert_commit(repo_id: int, commit: NewCommit, line: int, pos: int) -> None:
    values = [repo_id, commit.oid, line, pos, commit.tree, list(commit.parents), commit.author]
    values += [commit.author_id, commit.created_at, commit.title, commit.message]
    sql.run(_INSERT_COMMIT, values)
    if not commit.changes:
        return
    keys = {folder: dir_key(folder) for folder in {p.rpartition("/")[0] for p in commit.changes}}
    sql.run(
        _INSERT_CHANGES,
        [
            repo_id,
            line,
            pos,
            [keys[path.rpartition("/")[0]] for path in commit.changes],
            [path.rpartition("/")[2] for path in commit.changes],
            list(commit.changes.values()),
        ],
    )


def _move_refs(repo_id: int, updates: Sequence[RefUpdate]) -> None:
    for update in updates:
        if update.new is None:
            sql.run("DELETE FROM git_ref WHERE repo_id = %s AND name = %s", [repo_id, update.ref])
        else:
            sql.run(
                "INSERT INTO git_ref (repo_id, name, oid, updated_at) VALUES (%s, %s, %s, now()) "
                "ON CONFLICT (repo_id, name) DO UPDATE SET oid = excluded.oid, updated_at = now()",
                [repo_id, update.ref, update.new],
            )


def _finish(repo: Repo, change: Change, next_line: int, added: int) -> None:
    """Count the repo's version up and index its card if the default branch moved."""
    sql.run(
        "UPDATE hub_repo SET version = version + 1, next_line = %s, dirty = dirty OR %s, "
        "git_bytes = git_bytes + %s, last_modified = %s WHERE id = %s",
        [next_line, change.makes_garbage, added, timezone.now(), repo.pk],
    )
    for update in change.updates:
        if update.ref == BRANCHES + repo.default_branch and update.new is not None:
            cards.index(repo, update.new, _changes_between(update, change.commits))


def _changes_between(update: RefUpdate, commits: Sequence[NewCommit]) -> dict[str, bool] | None:
    """The paths that the new commits changed, and whether each is gone.

    None if anything may differ: the ref is new, or moved to an older commit.
    """
    if update.old is None or not any(commit.oid == update.new for commit in commits):
        return None
    return {path: gone for commit in commits for path, gone in commit.changes.items()}
