"""publish: the one transaction behind REST commit, branches, tags and squash.

Everything costly happens before the lock. Then, under the repo's row lock, the refs are read again:
if one moved meanwhile, the change is built anew on the new head while the lock is held, so a busy
repo never retries twice. All refs move, with their objects, commits and changes — or none does.

What a change relies on may be collected until the transaction holds the lock that collection takes
exclusively. From then on it stays, so what was looked at before is looked at again: the refs, what
``verify`` asks, and the keyframes that trees are stored against.

Whoever adds an object that another transaction has just added waits for it to end. So trees and
commits are added behind the row lock, where they would be added anew: one who waits for the lock
has only files to show, which nobody adds under it. What is left of such circles, as between pushes
whose packs hold the same trees, PostgreSQL cuts, and the one it cuts begins again.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from django.db import OperationalError, transaction
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from hub.crashpoints import Point, reach
from hub.errors import RefExists, RepoNotFound
from hub.events import RefMove, RefsMoved
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.stored import StoredObject
from hub.models import Repo, sql
from hub.services import cards, outbox, protection
from hub.services.adding import NOTHING, Added, Adding, sum_of
from hub.services.filing import Filing, NewCommit
from hub.services.protection import Way
from teams.models import User
from teams.models.sql import Reply

log = structlog.get_logger(__name__)

_TRIES = 5


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
    way: Way = Way.DIRECT
    """How it comes, for the rules that protect refs."""


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it."""

    change: Change
    rebuilt: bool = False
    added: Added = NOTHING


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

    ``build`` may be called more than once, and raises to refuse; it must not write to the database.
    ``files`` are blobs that the change's trees name, and may be read more than once. ``verify``
    raises if something that the change relies on is not there; from then on nothing of it is
    collected. ``by`` is who did it.

    Raises:
        RepoNotFound: the repo was deleted meanwhile.
        RefExists: a ref would be a folder of another one.
    """
    for _ in range(_TRIES - 1):
        try:
            return _publish(repo, refs, build, files, verify, by)
        except OperationalError as problem:
            if not isinstance(problem.__cause__, DeadlockDetected):
                raise
            log.info("publish_begins_again", repo=repo.pk)
    return _publish(repo, refs, build, files, verify, by)


def _publish(
    repo: Repo,
    refs: Sequence[str],
    build: Callable[[Heads], Change],
    files: Iterable[StoredObject],
    verify: Callable[[], None] | None,
    by: User | None,
) -> Published:
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
            files_added, added = Adding(repo.pk), Adding(repo.pk, can_take_back=True)
            files_added.add(files)
            locked = sql.send(_LOCK, [repo.pk])
            present = _ask_heads(repo.pk, refs)
            added.add(change.objects)
            filing = Filing(repo.pk, change.commits)
            reach(Point.PUBLISH_AFTER_OBJECTS)
            repo_row = _locked(locked)
        reach(Point.PUBLISH_LOCKED)
        now = _read_heads(present)
        rebuilt = added.finish().lacks_keyframe or now != heads
        if rebuilt:
            added.take_back()
            change = build(now)
            added, filing = _added_anew(repo.pk, change), Filing(repo.pk, change.commits)
        done = Published(change, rebuilt, sum_of(files_added.finish().added, added.finish().added))
        _make_true(repo, done, filing, repo_row, by)
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


_LOCK = "SELECT next_line, is_guarded FROM hub_repo WHERE id = %s FOR NO KEY UPDATE"


class _RepoRow(NamedTuple):
    """What the repo's row says once it is locked."""

    next_line: int
    is_guarded: bool


def _locked(reply: Reply) -> _RepoRow:
    row = reply.row()
    if row is None:
        raise RepoNotFound
    return _RepoRow(*row)


def _added_anew(repo_id: int, change: Change) -> Adding:
    added = Adding(repo_id)
    added.add(change.objects)
    if added.finish().lacks_keyframe:
        raise RuntimeError("A tree was about to be stored as a delta of nothing.")
    return added


def _make_true(repo: Repo, done: Published, filing: Filing, row: _RepoRow, by: User | None) -> None:
    """File the commits, move the refs and announce it, which counts the repo's version up."""
    change, next_line = done.change, row.next_line
    with nullcontext() if filing.copies else sql.pipeline():
        if change.updates:
            next_line = filing.file(next_line, index_later=change.index_later)
            reach(Point.PUBLISH_AFTER_COMMITS)
            _move_refs(repo.pk, change.updates)
            reach(Point.PUBLISH_AFTER_REFS)
        outbox.announce(
            repo.pk,
            RefsMoved(
                tuple(RefMove(one.ref, one.old, one.new) for one in change.updates),
                is_rewrite=change.way is Way.REWRITE,
            ),
            by=by,
            setting="next_line = %s, dirty = dirty OR %s, git_bytes = git_bytes + %s, "
            "last_modified = %s",
            values=[next_line, change.makes_garbage, done.added.nbytes, timezone.now()],
        )
    if row.is_guarded:
        protection.check_moves(repo, change.updates, by=by, way=change.way)
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
