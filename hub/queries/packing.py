"""The rows of a pack in the order in which it is written: objects in full, then deltas of them."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import cast

from hub.git.fetch_request import Filter
from hub.git.objects import Kind
from hub.git.pack_writer import PackedRow
from hub.models import sql

_AT_ONCE = 500
_SMALL_BYTES = 32 * 1024
"""Larger payloads are fetched one by one, so that memory is bounded whatever the rows hold."""

_COLUMNS = (
    "o.oid, o.kind, o.size, o.base, "
    f"CASE WHEN octet_length(o.data) <= {_SMALL_BYTES} THEN o.data END"
)
_Row = tuple[bytes, int, int, bytes | None, bytes | None]
"""A row of a pack, with what is stored only if that is little."""


class Selection:
    """The objects of a repo that go into a pack."""

    def __init__(self, repo_id: int) -> None:
        self.repo_id = repo_id

    def count(self) -> int:
        raise NotImplementedError

    def rows(self, *, deltas: bool) -> Iterator[PackedRow]:
        """The rows that are stored as deltas, or those that are not."""
        large: list[_Row] = []
        for row in self._read(deltas=deltas):
            if row[4] is None:
                # While rows stream in, nothing else can be asked.
                large.append(row)
            else:
                yield cast("PackedRow", row)
        for oid, kind, size, base, _none in large:
            yield oid, kind, size, base, self._payload(oid)

    @property
    def named(self) -> list[bytes] | None:
        """The objects that are named one by one; None where all are meant."""
        return None

    def _read(self, *, deltas: bool) -> Iterator[_Row]:
        raise NotImplementedError

    def _payload(self, oid: bytes) -> bytes:
        found = sql.row(
            "SELECT data FROM git_object WHERE repo_id = %s AND oid = %s", [self.repo_id, oid]
        )
        return bytes(found[0]) if found else b""


class Everything(Selection):
    """All objects of a repo, less what the filter leaves out: one scan, no walk."""

    def __init__(self, repo_id: int, leave_out: Filter) -> None:
        super().__init__(repo_id)
        self._where = "o.repo_id = %s"
        self._values: list[object] = [repo_id]
        if leave_out.trees:
            self._where += " AND o.kind = ANY(%s)"
            self._values += [[int(Kind.COMMIT), int(Kind.TAG)]]
        elif leave_out.blob_limit is not None:
            self._where += " AND (o.kind <> %s OR o.size < %s)"
            self._values += [int(Kind.BLOB), leave_out.blob_limit]

    def count(self) -> int:
        found = sql.row(f"SELECT count(*) FROM git_object o WHERE {self._where}", self._values)
        return int(found[0]) if found else 0

    def _read(self, *, deltas: bool) -> Iterator[_Row]:
        condition = f"{self._where} AND o.base IS {'NOT ' if deltas else ''}NULL"
        query = f"SELECT {_COLUMNS} FROM git_object o WHERE {condition}"
        return sql.stream(query, self._values, at_once=_AT_ONCE)


class Listed(Selection):
    """Objects by id; only trees can be stored as deltas, so they are given apart."""

    def __init__(self, repo_id: int, others: Collection[bytes], trees: Collection[bytes]) -> None:
        super().__init__(repo_id)
        self._others, self._trees = others, trees

    def count(self) -> int:
        return len(self._others) + len(self._trees)

    @property
    def named(self) -> list[bytes] | None:
        return list(self._others)

    def _read(self, *, deltas: bool) -> Iterator[_Row]:
        query = (
            f"SELECT {_COLUMNS} FROM git_object o WHERE o.repo_id = %s AND o.oid = ANY(%s) "
            f"AND o.base IS {'NOT ' if deltas else ''}NULL"
        )
        for names in (self._trees,) if deltas else (self._others, self._trees):
            for batch in _batches(names):
                yield from sql.rows(query, [self.repo_id, batch])


def small_enough(repo_id: int, blobs: Collection[bytes], limit: int) -> list[bytes]:
    """Those of ``blobs`` that have less than ``limit`` bytes."""
    return [
        oid
        for batch in _batches(blobs)
        for (oid,) in sql.rows(
            "SELECT oid FROM git_object WHERE repo_id = %s AND oid = ANY(%s) AND size < %s",
            [repo_id, batch, limit],
        )
    ]


def _batches(oids: Collection[bytes]) -> Iterator[Sequence[bytes]]:
    left = iter(oids)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch
