"""Read git objects out of their rows."""

import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from hub.errors import EntryNotFound
from hub.git.deltas import apply_delta
from hub.git.objects import Kind, Tree, parse_tree
from hub.git.stored import Keyframe
from hub.models import sql

_CACHE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedTree:
    """A tree with what is needed to store its next version as a delta."""

    oid: bytes
    entries: Tree
    keyframe: Keyframe
    nbytes: int


class _TreeCache:
    """The trees read last, per process. Ids name content, so an entry is never out of date."""

    def __init__(self) -> None:
        self._trees: OrderedDict[tuple[int, bytes], LoadedTree] = OrderedDict()
        self._nbytes = 0
        self._lock = Lock()

    def get(self, repo_id: int, oid: bytes) -> LoadedTree | None:
        with self._lock:
            found = self._trees.get((repo_id, oid))
            if found is not None:
                self._trees.move_to_end((repo_id, oid))
            return found

    def put(self, repo_id: int, tree: LoadedTree) -> None:
        with self._lock:
            if (repo_id, tree.oid) in self._trees or tree.nbytes > _CACHE_BYTES // 4:
                return
            self._trees[repo_id, tree.oid] = tree
            self._nbytes += tree.nbytes
            while self._nbytes > _CACHE_BYTES:
                _key, gone = self._trees.popitem(last=False)
                self._nbytes -= gone.nbytes

    def drop(self, repo_id: int) -> None:
        with self._lock:
            for key in [key for key in self._trees if key[0] == repo_id]:
                self._nbytes -= self._trees.pop(key).nbytes


_cache = _TreeCache()
_PARSED_COST = 5
"""A parsed tree takes about five times the memory of its bytes."""


def loaded(oid: bytes, entries: Tree, nbytes: int, keyframe: Keyframe) -> LoadedTree:
    return LoadedTree(oid, entries, keyframe, nbytes * _PARSED_COST + len(keyframe.raw))


def remember(repo_id: int, trees: Iterable[LoadedTree]) -> None:
    """Keep trees that were just stored: the next commit mostly begins with them.

    Their rows must be committed, and be stored against the keyframes that they name.
    """
    for tree in trees:
        _cache.put(repo_id, tree)


def forget(repo_id: int) -> None:
    """Forget the trees of a repo: the keyframes that they were stored against may be gone."""
    _cache.drop(repo_id)


_READ = """
SELECT o.oid, o.kind, o.data, o.base, b.data
FROM git_object o
LEFT JOIN git_object b ON b.repo_id = o.repo_id AND b.oid = o.base
WHERE o.repo_id = %s AND o.oid = ANY(%s)
"""


def read_trees(repo_id: int, oids: Iterable[bytes]) -> dict[bytes, LoadedTree]:
    """Read trees by id, with one query for those that are not in memory."""
    found: dict[bytes, LoadedTree] = {}
    missing: list[bytes] = []
    for oid in set(oids):
        cached = _cache.get(repo_id, oid)
        if cached is None:
            missing.append(oid)
        else:
            found[oid] = cached
    if missing:
        for oid, _kind, data, base, base_data in sql.rows(_READ, [repo_id, missing]):
            tree = _load(oid, data, base, base_data)
            _cache.put(repo_id, tree)
            found[oid] = tree
    return found


def _load(oid: bytes, data: bytes, base: bytes | None, base_data: bytes | None) -> LoadedTree:
    raw = zlib.decompress(data)
    keyframe = Keyframe(oid, raw)
    if base is not None and base_data is not None:
        keyframe = Keyframe(base, zlib.decompress(base_data))
        raw = apply_delta(keyframe.raw, raw)
    return loaded(oid, parse_tree(raw), len(raw), keyframe)


def parsed_trees(repo_id: int, oids: Iterable[bytes]) -> dict[bytes, Tree]:
    """Read trees by id, for those who only want to know what is in them."""
    return {oid: tree.entries for oid, tree in read_trees(repo_id, oids).items()}


def read_tree(repo_id: int, oid: bytes) -> LoadedTree:
    """Read one tree.

    Raises:
        EntryNotFound: the repo has no such tree.
    """
    found = read_trees(repo_id, [oid]).get(oid)
    if found is None:
        raise EntryNotFound(f"There is no tree {oid.hex()}.")
    return found


def read_raw(repo_id: int, oid: bytes) -> tuple[Kind, bytes]:
    """Read one object, inflated and with its delta carried out.

    Raises:
        EntryNotFound: the repo has no such object.
    """
    row = sql.row(_READ, [repo_id, [oid]])
    if row is None:
        raise EntryNotFound(f"There is no object {oid.hex()}.")
    _oid, kind, data, _base, base_data = row
    return Kind(kind), inflate(data, base_data)


def read_many(repo_id: int, oids: Iterable[bytes]) -> dict[bytes, bytes]:
    """Read those of ``oids`` that the repo has, in one query; the caller bounds their sizes."""
    wanted = list(set(oids))
    if not wanted:
        return {}
    rows = sql.rows(_READ, [repo_id, wanted])
    return {oid: inflate(data, base_data) for oid, _kind, data, _base, base_data in rows}


def inflate(data: bytes, base_data: bytes | None) -> bytes:
    raw = zlib.decompress(data)
    return raw if base_data is None else apply_delta(zlib.decompress(base_data), raw)


@dataclass(frozen=True, slots=True)
class BlobFacts:
    """What lists tell of a file without reading it."""

    size: int
    """Bytes of the git object; for a large file that is its pointer."""
    lfs_oid: bytes | None
    lfs_size: int | None


def blob_facts(repo_id: int, oids: Sequence[bytes]) -> dict[bytes, BlobFacts]:
    """Sizes and pointers of many blobs, in one query."""
    rows = sql.rows(
        "SELECT oid, size, lfs_oid, lfs_size FROM git_object WHERE repo_id = %s AND oid = ANY(%s)",
        [repo_id, list(set(oids))],
    )
    return {oid: BlobFacts(size, lfs_oid, lfs_size) for oid, size, lfs_oid, lfs_size in rows}
