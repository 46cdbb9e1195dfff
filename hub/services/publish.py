"""publish: the one transaction behind REST commit, branches, tags and squash.

Everything costly happens before the lock. Then, under the repo's row lock, the refs are read again:
if one moved meanwhile, the change is built anew on the new head while the lock is held, so a busy
repo never retries twice. All refs move, with their objects, commits and changes — or none does.

What a change relies on may be collected until the transaction holds the lock that collection takes
exclusively. From then on it stays, so what was looked at before is looked at again: the refs, what
``verify`` asks, and the keyframes that trees are stored against.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from hub.crashpoints import Point, reach
from hub.errors import RefExists, RepoNotFound
from hub.events import RefMove, RefsMoved
from hub.git.objects import Kind
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.stored import StoredObject
from hub.models import Repo, sql
from hub.queries import objects
from hub.services import cards, outbox
from hub.services.filing import COPY_FROM, Filing, NewCommit
from teams.models import User
from teams.models.sql import Reply

_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_ROWS = 500


@dataclass(frozen=True, slots=True)
class Heads:
    """What the refs that a change is about point to."""

    oids: dict[str, bytes]
    trees: dict[str, bytes]

    def __getitem__(self, ref: str) -> bytes | None:
        """Answer what ``ref`` points to, None if it does not exist."""
        return self.oids.get(ref)

    def tree(self, ref: str) -> bytes | None:
        """Answer the tree of the commit that ``ref`` points to."""
        return self.trees.get(ref)


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


class Added(NamedTuple):
    """Stored bytes of the objects that were really added, and how many of them are no files'."""

    nbytes: int
    tree_bytes: int


_NOTHING = Added(0, 0)


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it."""

    change: Change
    rebuilt: bool = False
    added: Added = _NOTHING


def publish(
    repo: Repo,
    *,
    refs: Sequence[str],
    build: Callable[[Heads], Change],
    files: Iterable[StoredObject] = (),
    verify: Callable[[], None] | None = None,
    by: User | None = None,
) -> Published:
    """Build a change on the present heads of ``refs`` and make it true, all or nothing.

    ``build`` may be called twice, and raises to refuse; it must not write to the database.
    ``files`` are blobs that the change's trees name. ``verify`` raises if something that the change
    relies on is not there; from then on nothing of it is collected. ``by`` is who did it.

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
        # Three waits for the database, whatever is published: what is there, what changes, COMMIT.
        with sql.pipeline():
            # Garbage collection takes this lock exclusively, so no object that a change relies on
            # is swept between the look and the commit.
            sql.send("SELECT pg_advisory_xact_lock_shared(%s)", [repo.pk])
            if verify is not None:
                verify()
            reach(Point.PUBLISH_BEFORE_INSERT)
            files_added, added = _Adding(repo.pk), _Adding(repo.pk, can_take_back=True)
            files_added.add(files)
            added.add(change.objects)
            locked = sql.send(_LOCK, [repo.pk])
            present = _ask_heads(repo.pk, refs)
            filing = Filing(repo.pk, change.commits)
            reach(Point.PUBLISH_AFTER_OBJECTS)
            next_line = _free_line(locked)
        reach(Point.PUBLISH_LOCKED)
        now = _read_heads(present)
        rebuilt = added.finish().lacks_keyframe or now != heads
        if rebuilt:
            added.take_back()
            change = build(now)
            added, filing = _added_anew(repo.pk, change), Filing(repo.pk, change.commits)
        done = Published(change, rebuilt, _sum(files_added.finish().added, added.finish().added))
        _make_true(repo, done, filing, next_line, by)
        reach(Point.PUBLISH_BEFORE_COMMIT)
    reach(Point.PUBLISH_AFTER_COMMIT)
    return done


def _heads(repo_id: int, refs: Sequence[str]) -> Heads:
    return _read_heads(_ask_heads(repo_id, refs))


def _ask_heads(repo_id: int, refs: Sequence[str]) -> Reply:
    return sql.send(
        "SELECT r.name, r.oid, c.tree FROM git_ref r "
        "LEFT JOIN git_commit c ON c.repo_id = r.repo_id AND c.oid = r.oid "
        "WHERE r.repo_id = %s AND r.name = ANY(%s)",
        [repo_id, list(refs)],
    )


def _read_heads(reply: Reply) -> Heads:
    rows = reply.rows()
    return Heads(
        {name: oid for name, oid, _tree in rows},
        {name: tree for name, _oid, tree in rows if tree is not None},
    )


_LOCK = "SELECT next_line FROM hub_repo WHERE id = %s FOR NO KEY UPDATE"


def _free_line(locked: Reply) -> int:
    row = locked.row()
    if row is None:
        raise RepoNotFound
    return int(row[0])


# The last column says whether the keyframe of one of the rows is missing, or a delta itself.
_INSERT_OBJECTS = f"""
WITH added AS (
INSERT INTO git_object (repo_id, oid, kind, size, base, lfs_oid, lfs_size, data)
SELECT %s, * FROM unnest(%b::bytea[], %s::int2[], %s::int4[], %s::bytea[], %s::bytea[],
    %s::int8[], %b::bytea[])
ON CONFLICT DO NOTHING
RETURNING oid, kind = {int(Kind.BLOB)} AS is_file, octet_length(data) AS nbytes
)
SELECT coalesce(sum(nbytes), 0), coalesce(sum(nbytes) FILTER (WHERE NOT is_file), 0),
    coalesce(array_agg(oid), '{{}}'), EXISTS (
    SELECT FROM unnest(%s::bytea[]) AS w(base) WHERE NOT EXISTS (SELECT FROM git_object k
        WHERE k.repo_id = %s AND k.oid = w.base AND k.base IS NULL))
FROM added
"""


@dataclass
class _Adding:
    """Adds objects in batches of bounded size; those that are there already stay as they are."""

    repo_id: int
    can_take_back: bool = False
    added: Added = _NOTHING
    lacks_keyframe: bool = False
    """A tree is a delta of one that was collected since the process read it."""
    _oids: list[bytes] = field(default_factory=list, init=False)
    _waiting: Reply | None = field(default=None, init=False)

    def add(self, rows: Iterable[StoredObject]) -> None:
        batch: list[StoredObject] = []
        nbytes = 0
        for one in rows:
            batch.append(one)
            nbytes += len(one.data)
            if len(batch) >= _BATCH_ROWS or nbytes >= _BATCH_BYTES:
                self._send(batch)
                batch, nbytes = [], 0
        if batch:
            self._send(batch)

    def _send(self, batch: Sequence[StoredObject]) -> None:
        # No more than one batch is on its way, so memory stays bounded in a pipeline too.
        self.finish()
        columns: tuple[list[Any], ...] = (
            [one.oid for one in batch],
            [int(one.kind) for one in batch],
            [one.size for one in batch],
            [one.base for one in batch],
            [one.pointer.sha256 if one.pointer else None for one in batch],
            [one.pointer.size if one.pointer else None for one in batch],
            [one.data for one in batch],
        )
        bases = list({one.base for one in batch if one.base is not None})
        self._waiting = sql.send(_INSERT_OBJECTS, [self.repo_id, *columns, bases, self.repo_id])

    def finish(self) -> "_Adding":
        """Wait for what was sent."""
        row = self._waiting.row() if self._waiting else None
        self._waiting = None
        if row is not None:
            nbytes, tree_bytes, oids, lacks_keyframe = row
            self.added = _sum(self.added, Added(int(nbytes), int(tree_bytes)))
            self._oids += oids if self.can_take_back else ()
            self.lacks_keyframe |= lacks_keyframe
        return self

    def take_back(self) -> None:
        """Delete what was really added, and what this process remembers of the repo's trees.

        No ref would come to these objects.
        """
        self.finish()
        values = [self.repo_id, self._oids]
        sql.run("DELETE FROM git_object WHERE repo_id = %s AND oid = ANY(%s)", values)
        if self.lacks_keyframe:
            objects.forget(self.repo_id)


def _added_anew(repo_id: int, change: Change) -> _Adding:
    added = _Adding(repo_id)
    added.add(change.objects)
    if added.finish().lacks_keyframe:
        raise RuntimeError("A tree was about to be stored as a delta of nothing.")
    return added


def _sum(one: Added, other: Added) -> Added:
    return Added(one.nbytes + other.nbytes, one.tree_bytes + other.tree_bytes)


def insert_objects(repo_id: int, rows: Iterable[StoredObject]) -> Added:
    """Add objects to a repo; answer what was really added."""
    adding = _Adding(repo_id)
    adding.add(rows)
    return adding.finish().added


def _make_true(
    repo: Repo, done: Published, filing: Filing, next_line: int, by: User | None
) -> None:
    """File the commits, move the refs and announce it, which counts the repo's version up."""
    change = done.change
    # COPY, which many commits come by, has no place in a pipeline.
    with sql.pipeline() if len(change.commits) < COPY_FROM else nullcontext():
        if change.updates:
            next_line = filing.file(next_line, index_later=change.index_later)
            reach(Point.PUBLISH_AFTER_COMMITS)
            _move_refs(repo.pk, change.updates)
            reach(Point.PUBLISH_AFTER_REFS)
        outbox.announce(
            repo.pk,
            RefsMoved(tuple(RefMove(one.ref, one.old, one.new) for one in change.updates)),
            by=by,
            setting="next_line = %s, dirty = dirty OR %s, git_bytes = git_bytes + %s, "
            "last_modified = %s",
            values=[next_line, change.makes_garbage, done.added.nbytes, timezone.now()],
        )
    for update in change.updates:
        if update.ref == BRANCHES + repo.default_branch and update.new is not None:
            cards.index(repo, update.new, _changes_between(update, change))


_IN_THE_WAY = """
SELECT r.name, w.name FROM unnest(%(new)s::text[]) AS w(name) JOIN git_ref r
ON starts_with(r.name, w.name || '/') OR starts_with(w.name, r.name || '/')
WHERE r.repo_id = %(repo)s LIMIT 1
"""


def _move_refs(repo_id: int, updates: Sequence[RefUpdate]) -> None:
    # Deletions first, so that a name is free for what the same change creates.
    for update in sorted(updates, key=lambda update: update.new is not None):
        if update.new is None:
            sql.send("DELETE FROM git_ref WHERE repo_id = %s AND name = %s", [repo_id, update.ref])
        else:
            sql.send(
                "INSERT INTO git_ref (repo_id, name, oid, updated_at) VALUES (%s, %s, %s, now()) "
                "ON CONFLICT (repo_id, name) DO UPDATE SET oid = excluded.oid, updated_at = now()",
                [repo_id, update.ref, update.new],
            )
    created = [update.ref for update in updates if update.old is None and update.new is not None]
    if created and (found := sql.row(_IN_THE_WAY, {"repo": repo_id, "new": created})):
        # Clones keep refs as files, where one name cannot be a file and a folder.
        raise RefExists(f"{found[0]} is in the way of {found[1]}")


def _changes_between(update: RefUpdate, change: Change) -> dict[str, bool] | None:
    """The paths that the new commits changed, and whether each is gone.

    None if anything may differ: the ref is new, moved aside or to an older commit, or nobody knows
    yet.
    """
    is_known = update.old is not None and not change.makes_garbage and not change.index_later
    if not is_known or not any(commit.oid == update.new for commit in change.commits):
        return None
    return {path: gone for commit in change.commits for path, gone in commit.changes.items()}
