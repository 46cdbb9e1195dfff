"""Add objects to a repo, in batches of bounded size; what is there already stays as it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hub.git.objects import Kind
from hub.git.stored import StoredObject
from hub.models import sql
from hub.queries import objects
from teams.models.sql import Reply

_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_ROWS = 500


class Added(NamedTuple):
    """Stored bytes of the objects that were really added, and how many of them are no files'."""

    nbytes: int
    tree_bytes: int


NOTHING = Added(0, 0)


# Each file waits for scanners from its first moment on. An object that is added anew may have been
# collected before, and another may have its SHA-1: what was known of it is not known any more.
# The last column says whether the keyframe of one of the rows is missing, or a delta itself.
_INSERT_OBJECTS = f"""
WITH added AS (
INSERT INTO git_object (repo_id, oid, kind, size, base, lfs_oid, lfs_size, data)
SELECT %s, * FROM unnest(%b::bytea[], %s::int2[], %s::int4[], %s::bytea[], %s::bytea[],
    %s::int8[], %b::bytea[])
ON CONFLICT DO NOTHING
RETURNING oid, lfs_oid, kind = {int(Kind.BLOB)} AS is_file, octet_length(data) AS nbytes
),
to_scan AS (
INSERT INTO hub_scan (repo_id, key)
SELECT DISTINCT %s::bigint, coalesce(lfs_oid, oid) AS key FROM added WHERE is_file ORDER BY key
ON CONFLICT (repo_id, key) DO UPDATE SET state = 'queued', before = '', released_at = NULL
WHERE octet_length(hub_scan.key) = 20
)
SELECT coalesce(sum(nbytes), 0), coalesce(sum(nbytes) FILTER (WHERE NOT is_file), 0),
    coalesce(array_agg(oid), '{{}}'), EXISTS (
    SELECT FROM unnest(%s::bytea[]) AS w(base) WHERE NOT EXISTS (SELECT FROM git_object k
        WHERE k.repo_id = %s AND k.oid = w.base AND k.base IS NULL))
FROM added
"""


@dataclass
class Adding:
    """Adds objects batch by batch; the answer to the last may be waited for later."""

    repo_id: int
    can_take_back: bool = False
    added: Added = NOTHING
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
        # In one order by whoever adds them, so that no two wait for each other.
        batch = sorted(batch, key=lambda one: one.oid)
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
        self._waiting = sql.send(
            _INSERT_OBJECTS, [self.repo_id, *columns, self.repo_id, bases, self.repo_id]
        )

    def finish(self) -> "Adding":
        """Wait for what was sent."""
        row = self._waiting.row() if self._waiting else None
        self._waiting = None
        if row is not None:
            nbytes, tree_bytes, oids, lacks_keyframe = row
            self.added = sum_of(self.added, Added(int(nbytes), int(tree_bytes)))
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


def sum_of(one: Added, other: Added) -> Added:
    return Added(one.nbytes + other.nbytes, one.tree_bytes + other.tree_bytes)


def insert_objects(repo_id: int, rows: Iterable[StoredObject]) -> Added:
    """Add objects to a repo; answer what was really added."""
    adding = Adding(repo_id)
    adding.add(rows)
    return adding.finish().added
