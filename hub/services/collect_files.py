"""Let repos forget the large files that no pointer of theirs names any more.

A row of a repo and a large file stays for seven days after it was last touched: uploaded, adopted,
asked for by somebody who is about to name it, or seen to lose its last pointer. Whether a pointer
names it is asked only then, and once: ``is_named`` remembers it until git objects of the repo are
collected. So nobody who was told that the repo holds a file finds it gone when they commit.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from hub.crashpoints import Point, reach
from hub.models import sql

GRACE = timedelta(days=7)
_BATCH = 500


class Dropped(NamedTuple):
    """Rows that are gone, or would be, and the bytes of the files that they stood for."""

    rows: int
    nbytes: int


_TABLES = {
    "hub_repoblob": ("blob_id", "SELECT b.size FROM hub_blob b WHERE b.sha256 = r.blob_id"),
    "hub_xetrepofile": ("sha256", "SELECT f.size FROM hub_xetfile f WHERE f.id = r.file_id"),
}
_WAITING = """
SELECT DISTINCT repo_id FROM {table} WHERE NOT is_named AND touched_at < %s
"""
_OLD = "r.repo_id = %(repo)s AND NOT r.is_named AND r.touched_at < %(limit)s"
_NAMED = "EXISTS (SELECT FROM git_object o WHERE o.repo_id = %(repo)s AND o.lfs_oid = r.{column})"


# Who holds a row is about to touch it: it is passed over, and nobody waits in a ring.
_SKIP = "FOR UPDATE OF r SKIP LOCKED"


def waiting_repos(now: datetime) -> list[int]:
    """The repos with rows that are old enough to be asked about."""
    found: set[int] = set()
    for table in _TABLES:
        found |= {pk for (pk,) in sql.rows(_WAITING.format(table=table), [now - GRACE])}
    return sorted(found)


@transaction.atomic
def forget_unnamed(repo_id: int, *, now: datetime, dry_run: bool = False) -> Dropped:
    """Drop the rows of files that no object of the repo points to; note which are pointed to."""
    # No object is collected between the look and the note.
    sql.run("SELECT pg_advisory_xact_lock_shared(%s)", [repo_id])
    values = {"repo": repo_id, "limit": now - GRACE}
    rows = nbytes = 0
    for table, (column, size) in _TABLES.items():
        named = _NAMED.format(column=column)
        gone = f"SELECT ({size}) AS size FROM {table} r WHERE {_OLD} AND NOT {named}"
        if not dry_run:
            free = f"SELECT r.id FROM {table} r WHERE {_OLD} AND {{}} {_SKIP}"
            found, lost = free.format(named), free.format(f"NOT {named}")
            sql.run(f"UPDATE {table} SET is_named = true WHERE id IN ({found})", values)
            gone = f"DELETE FROM {table} r WHERE id IN ({lost}) RETURNING ({size}) AS size"
        query = f"WITH gone AS ({gone}) SELECT count(*), coalesce(sum(size), 0)::bigint FROM gone"
        for count, total in sql.rows(query, values):
            rows, nbytes = rows + count, nbytes + total
    reach(Point.COLLECT_FORGOTTEN)
    return Dropped(rows, nbytes)


_UNHELD = """
SELECT f.id, f.size FROM hub_xetfile f
WHERE f.id > %s AND NOT EXISTS (SELECT FROM hub_xetrepofile r WHERE r.file_id = f.id)
ORDER BY f.id LIMIT %s
"""


def delete_unheld(*, dry_run: bool = False) -> Dropped:
    """Delete files in Xet form that no repo holds: what is left to collect are their xorbs."""
    rows = nbytes = after = 0
    while batch := sql.rows(_UNHELD, [after, _BATCH]):
        sizes: dict[int, int] = dict(batch)
        gone = sizes.keys() if dry_run else _delete_files(sizes)
        rows, nbytes = rows + len(gone), nbytes + sum(sizes[pk] for pk in gone)
        after = batch[-1][0]
    return Dropped(rows, nbytes)


_STILL_UNHELD = """
SELECT f.id FROM hub_xetfile f WHERE f.id = ANY(%s)
AND NOT EXISTS (SELECT FROM hub_xetrepofile r WHERE r.file_id = f.id)
"""


@transaction.atomic
def _delete_files(pks: Iterable[int]) -> list[int]:
    # Who registers a file again holds its row; what we hold is looked at anew, for it may just
    # have come to be held. Nobody is waited for, so nobody waits in a ring.
    locked = sql.rows(
        "SELECT id FROM hub_xetfile WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", [list(pks)]
    )
    gone = [pk for (pk,) in sql.rows(_STILL_UNHELD, [[pk for (pk,) in locked]])]
    for table, column in (
        ("hub_xetdedupchunk", "file_id"),
        ("hub_xetfilexorb", "file_id"),
        ("hub_xetfile", "id"),
    ):
        sql.run(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [gone])
    return gone
