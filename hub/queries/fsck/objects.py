"""Every git object of a repo, read once: is each what its id says."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.errors import BadObject
from hub.git.deltas import apply_delta
from hub.git.objects import (
    Kind,
    Pointer,
    hash_object,
    parse_commit,
    parse_pointer,
    parse_tree,
    tagged,
)
from hub.models import sql

_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_ROWS = 500


class CommitObject(NamedTuple):
    """What a commit says in git's own words."""

    tree: bytes
    parents: tuple[bytes, ...]


@dataclass
class Inventory:
    """What objects a repo has, and what was found wrong with them."""

    repo_id: int
    kinds: dict[bytes, int] = field(default_factory=dict)
    broken: set[bytes] = field(default_factory=set)
    commits: dict[bytes, CommitObject] = field(default_factory=dict)
    tags: dict[bytes, bytes] = field(default_factory=dict)
    """Annotated tags, and what each of them names."""
    pointers: dict[bytes, Pointer] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def chain(self, oid: bytes) -> list[bytes]:
        """Annotated tags, each of the next, and what the last one names."""
        found = [oid]
        while found[-1] in self.tags:
            found.append(self.tags[found[-1]])
        return found

    def is_sound(self, oid: bytes, kind: Kind) -> bool:
        return self.kinds.get(oid) == kind and oid not in self.broken


class _Row(NamedTuple):
    """An object as it lies in its row, with its base beside it."""

    oid: bytes
    kind: int
    size: int
    base: bytes | None
    pointer: tuple[bytes | None, int | None]
    data: bytes
    base_data: bytes | None


_READ = """
SELECT o.oid, o.kind, o.size, o.base, o.lfs_oid, o.lfs_size, o.data, b.data
FROM git_object o
LEFT JOIN git_object b ON b.repo_id = o.repo_id AND b.oid = o.base
WHERE o.repo_id = %s AND o.oid = ANY(%s)
"""


def take_inventory(repo_id: int) -> Inventory:
    """Read all objects of a repo, hash them anew and note what they name."""
    inventory = Inventory(repo_id)
    rows = sql.rows(
        "SELECT oid, kind, base, octet_length(data) FROM git_object WHERE repo_id = %s "
        "ORDER BY oid",
        [repo_id],
    )
    inventory.kinds = {oid: kind for oid, kind, _base, _nbytes in rows}
    deltas = {oid for oid, _kind, base, _nbytes in rows if base is not None}
    for oid, _kind, base, _nbytes in rows:
        if base is not None and (inventory.kinds.get(base) != Kind.TREE or base in deltas):
            inventory.broken.add(oid)
            inventory.faults.append(f"{oid.hex()} is a delta of {base.hex()}, which is no tree")
    for oids in _batches([(oid, nbytes) for oid, _kind, _base, nbytes in rows]):
        wanted = [oid for oid in oids if oid not in inventory.broken]
        for oid, kind, size, base, lfs_oid, lfs_size, data, base_data in sql.rows(
            _READ, [repo_id, wanted]
        ):
            _look_at(_Row(oid, kind, size, base, (lfs_oid, lfs_size), data, base_data), inventory)
    return inventory


def _batches(sizes: list[tuple[bytes, int]]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    nbytes = 0
    for oid, size in sizes:
        batch.append(oid)
        nbytes += size
        if len(batch) >= _BATCH_ROWS or nbytes >= _BATCH_BYTES:
            yield batch
            batch, nbytes = [], 0
    if batch:
        yield batch


def _look_at(row: _Row, inventory: Inventory) -> None:
    try:
        raw = _checked(row)
        _NOTES[Kind(row.kind)](row, raw, inventory)
    except (BadObject, zlib.error, ValueError) as fault:
        inventory.broken.add(row.oid)
        inventory.faults.append(f"{row.oid.hex()} is damaged: {fault}")


def _checked(row: _Row) -> bytes:
    raw = _inflated(row)
    if hash_object(Kind(row.kind), raw) != row.oid:
        raise BadObject("its content has another id")
    if len(raw) != row.size:
        raise BadObject(f"it has {len(raw)} bytes, not {row.size}")
    return raw


def _inflated(row: _Row) -> bytes:
    raw = zlib.decompress(row.data)
    return raw if row.base_data is None else apply_delta(zlib.decompress(row.base_data), raw)


def _note_commit(row: _Row, raw: bytes, inventory: Inventory) -> None:
    commit = parse_commit(raw)
    inventory.commits[row.oid] = CommitObject(commit.tree, commit.parents)


def _note_tree(_row: _Row, raw: bytes, _inventory: Inventory) -> None:
    parse_tree(raw)


def _note_blob(row: _Row, raw: bytes, inventory: Inventory) -> None:
    pointer = parse_pointer(raw)
    if row.pointer != (pointer or (None, None)):
        raise BadObject("its row names another large file than its content")
    if pointer is not None:
        inventory.pointers[row.oid] = pointer


def _note_tag(row: _Row, raw: bytes, inventory: Inventory) -> None:
    inventory.tags[row.oid] = tagged(raw).oid


_NOTES: dict[Kind, Callable[[_Row, bytes, Inventory], None]] = {
    Kind.COMMIT: _note_commit,
    Kind.TREE: _note_tree,
    Kind.BLOB: _note_blob,
    Kind.TAG: _note_tag,
}
