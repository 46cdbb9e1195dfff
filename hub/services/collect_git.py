"""Take the git objects that no ref leads to out of a repo.

Marking reads the repo as it goes on being used. Only the sweep keeps others out: it holds the lock
that :func:`hub.services.publish.publish` shares, and first marks what was published meanwhile. So
nobody who looks whether an object is there, under the shared lock, sees it swept before their own
commit. The sweep is one transaction: whatever object is there, all that it names is there too, and
a push that relies on an unreachable one relies on something whole.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import OperationalError, transaction
from psycopg.errors import LockNotAvailable

from hub.crashpoints import Point, reach
from hub.git.objects import Kind
from hub.git.stored import Keyframe, StoredObject, store, store_tree
from hub.models import sql
from hub.queries import objects
from hub.queries.marks import (
    Marked,
    Pile,
    is_exact,
    mark,
    mark_on,
    unmarked,
    unmarked_keyframes,
)
from hub.queries.reachable import Unsound

log = structlog.get_logger(__name__)

LOCK_PATIENCE_MS = 2000
"""How long a sweep may keep publishers waiting for a lock that it cannot get itself."""
_TREES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of looking at one repo."""

    freed: dict[Kind, Pile]
    problem: str = ""
    """Why nothing was taken, if that is so: it is busy, or it is damaged."""


def dirty_repos() -> list[int]:
    """The repos in which something may be unreachable, those first that have rested longest."""
    rows = sql.rows("SELECT id FROM hub_repo WHERE dirty ORDER BY last_modified, id")
    return [pk for (pk,) in rows]


def sweep(repo_id: int, *, now: datetime, dry_run: bool = False) -> Swept:
    """Delete what no ref leads to; with ``dry_run`` only say what that is.

    What loses its last ref meanwhile is left for the next time.
    """
    try:
        marked = mark(repo_id)
        if marked is None:
            return Swept({}, "gone")
        reach(Point.COLLECT_MARKED)
        return Swept(unmarked(marked)) if dry_run else _sweep(marked, now)
    except Unsound as fault:
        log.warning("repo_is_damaged", repo=repo_id, reason=str(fault))
        return Swept({}, f"damaged, see hub_fsck: {fault}")
    except OperationalError as problem:
        if not isinstance(problem.__cause__, LockNotAvailable):
            raise
        return Swept({}, "busy")
    finally:
        objects.forget(repo_id)


@transaction.atomic
def _sweep(marked: Marked, now: datetime) -> Swept:
    sql.run(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}")
    sql.run("SELECT pg_advisory_xact_lock(%s)", [marked.repo_id])
    row = sql.row("SELECT version FROM hub_repo WHERE id = %s FOR NO KEY UPDATE", [marked.repo_id])
    if row is None:
        return Swept({}, "gone")
    is_done = row == (marked.version,)
    if not is_done:
        marked = mark_on(marked)
        is_done = is_exact(marked)
    for base, trees in unmarked_keyframes(marked).items():
        _store_anew(marked.repo_id, base, trees)
    _note_files(_NOTE_NAMED, marked.repo_id, now)
    freed = _delete_objects(marked.repo_id)
    if Kind.COMMIT in freed:
        _delete_history(marked)
    _note_files(_NOTE_UNNAMED, marked.repo_id, now)
    sql.run(
        "UPDATE hub_repo SET dirty = NOT %(done)s, git_bytes = (SELECT coalesce("
        "sum(octet_length(data)), 0) FROM git_object WHERE repo_id = %(repo)s) WHERE id = %(repo)s",
        {"repo": marked.repo_id, "done": is_done},
    )
    reach(Point.COLLECT_SWEPT)
    return Swept(freed)


def _store_anew(repo_id: int, base: bytes, trees: list[bytes]) -> None:
    """Store the deltas of a tree that goes against one that stays: the first of them."""
    keyframe: Keyframe | None = None
    for start in range(0, len(trees), _TREES_AT_ONCE):
        batch = trees[start : start + _TREES_AT_ONCE]
        found = objects.read_many(repo_id, batch)
        for oid in batch:
            raw = found[oid]
            row = store(Kind.TREE, raw) if keyframe is None else store_tree(raw, keyframe)
            if row.base is None:
                keyframe = Keyframe(oid, raw)
            _replace(repo_id, row)
    log.debug("keyframe_replaced", repo=repo_id, keyframe=base.hex(), trees=len(trees))


def _replace(repo_id: int, row: StoredObject) -> None:
    sql.run(
        "UPDATE git_object SET base = %s, data = %s WHERE repo_id = %s AND oid = %s",
        [row.base, row.data, repo_id, row.oid],
    )


_DELETE = """
WITH gone AS (
    DELETE FROM git_object o
    WHERE o.repo_id = %s AND NOT EXISTS (SELECT FROM git_mark m WHERE m.oid = o.oid)
    RETURNING o.kind, octet_length(o.data) AS nbytes
)
SELECT kind, count(*), sum(nbytes)::bigint FROM gone GROUP BY kind ORDER BY kind
"""


def _delete_objects(repo_id: int) -> dict[Kind, Pile]:
    rows = sql.rows(_DELETE, [repo_id])
    return {Kind(kind): Pile(count, nbytes) for kind, count, nbytes in rows}


# A line loses its end, or all of it: what is reachable on it is a run from its start.
_LIVE = "unnest(%(lines)s::int[], %(lasts)s::int[]) AS l(line, last)"
_DELETE_HISTORY = (
    f"""
    DELETE FROM git_commit c WHERE c.repo_id = %(repo)s AND NOT EXISTS (
        SELECT FROM {_LIVE} WHERE l.line = c.line AND l.last >= c.pos)
    """,
    f"""
    DELETE FROM path_change p WHERE p.repo_id = %(repo)s AND NOT EXISTS (
        SELECT FROM {_LIVE} WHERE l.line = p.line AND l.last >= p.pos)
    """,
    f"""
    DELETE FROM git_line g WHERE g.repo_id = %(repo)s AND NOT EXISTS (
        SELECT FROM {_LIVE} WHERE l.line = g.line)
    """,
    f"""
    DELETE FROM hub_pendingindex i WHERE i.repo_id = %(repo)s AND NOT EXISTS (
        SELECT FROM {_LIVE} WHERE l.line = i.line AND l.last >= i.next_pos)
    """,
    f"""
    UPDATE hub_pendingindex i SET last_pos = l.last FROM {_LIVE}
    WHERE i.repo_id = %(repo)s AND l.line = i.line AND l.last < i.last_pos
    """,
)


def _delete_history(marked: Marked) -> None:
    lines, lasts = list(marked.lines), list(marked.lines.values())
    for statement in _DELETE_HISTORY:
        sql.run(statement, {"repo": marked.repo_id, "lines": lines, "lasts": lasts})


_POINTED_TO = "EXISTS (SELECT FROM git_object o WHERE o.repo_id = %(repo)s AND o.lfs_oid = r.{0})"
# A row that is held is about to be touched, which does as well.
_NOTE_NAMED = f"""
UPDATE {{1}} SET is_named = true WHERE id IN (SELECT r.id FROM {{1}} r
    WHERE r.repo_id = %(repo)s AND NOT r.is_named AND {_POINTED_TO} FOR UPDATE OF r SKIP LOCKED)
"""
_NOTE_UNNAMED = f"""
UPDATE {{1}} r SET is_named = false, touched_at = %(now)s
WHERE r.repo_id = %(repo)s AND r.is_named AND NOT {_POINTED_TO}
"""


def _note_files(note: str, repo_id: int, now: datetime) -> None:
    """Note which large files have a pointer; of one that just lost it the days begin to count."""
    for column, table in (("blob_id", "hub_repoblob"), ("sha256", "hub_xetrepofile")):
        sql.run(note.format(column, table), {"repo": repo_id, "now": now})
