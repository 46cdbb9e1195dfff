"""Read git objects and file lists of many repos at once: one query per level, not per repo."""

import zlib
from collections.abc import Iterable, Mapping

from hub.git.deltas import apply_delta
from hub.git.objects import Entry, Tree, parse_tree
from hub.models import sql
from hub.queries.objects import BlobFacts
from hub.queries.trees import Found

Address = tuple[int, bytes]
"""A repo's id and the id of an object in it."""

_READ = """
SELECT o.repo_id, o.oid, o.data, b.data
FROM unnest(%s::bigint[], %s::bytea[]) AS w(repo_id, oid)
JOIN git_object o ON o.repo_id = w.repo_id AND o.oid = w.oid
LEFT JOIN git_object b ON b.repo_id = o.repo_id AND b.oid = o.base
WHERE o.size <= %s
"""
_ANY_SIZE = 2**31 - 1


def read_objects(addresses: Iterable[Address], most: int = _ANY_SIZE) -> dict[Address, bytes]:
    """Read those of the objects that exist and have at most ``most`` bytes."""
    columns = _columns(addresses)
    if not columns[0]:
        return {}
    found: dict[Address, bytes] = {}
    for repo_id, oid, data, base_data in sql.rows(_READ, [*columns, most]):
        raw = zlib.decompress(data)
        if base_data is not None:
            raw = apply_delta(zlib.decompress(base_data), raw)
        found[repo_id, oid] = raw
    return found


def read_trees(addresses: Iterable[Address]) -> dict[Address, Tree]:
    return {address: parse_tree(raw) for address, raw in read_objects(addresses).items()}


def list_files(roots: Mapping[int, bytes]) -> dict[int, list[Found]]:
    """List all files below the root tree of each repo, by path."""
    files: dict[int, list[Found]] = {repo_id: [] for repo_id in roots}
    level = [(repo_id, "", oid) for repo_id, oid in roots.items()]
    while level:
        trees = read_trees((repo_id, oid) for repo_id, _prefix, oid in level)
        deeper: list[tuple[int, str, bytes]] = []
        for repo_id, prefix, oid in level:
            for name, entry in trees.get((repo_id, oid), {}).items():
                path = prefix + name.decode(errors="surrogateescape")
                if entry.is_tree:
                    deeper.append((repo_id, f"{path}/", entry.oid))
                else:
                    files[repo_id].append(Found(path, is_folder=False, oid=entry.oid))
        level = deeper
    return {repo_id: sorted(found, key=lambda file: file.path) for repo_id, found in files.items()}


def read_at_root(roots: Mapping[int, bytes], name: bytes, most: int) -> dict[int, bytes]:
    """Read the file called ``name`` at the root of each repo that has one, in two queries."""
    trees = read_trees(roots.items())
    entries = {repo_id: tree[name] for (repo_id, _oid), tree in trees.items() if name in tree}
    raw = read_objects([(repo_id, entry.oid) for repo_id, entry in entries.items()], most)
    return {repo_id: content for (repo_id, _oid), content in raw.items()}


def read_folder(
    roots: Mapping[int, bytes], folder: bytes, most: int
) -> dict[int, dict[str, bytes]]:
    """Read the files right below a folder at the root of each repo, in three queries."""
    trees = read_trees(roots.items())
    inside = {
        repo_id: tree[folder].oid
        for (repo_id, _oid), tree in trees.items()
        if folder in tree and tree[folder].is_tree
    }
    entries = {
        repo_id: {name: entry for name, entry in tree.items() if not entry.is_tree}
        for (repo_id, _oid), tree in read_trees(inside.items()).items()
    }
    raw = read_objects(_addresses(entries), most)
    return {
        repo_id: {
            name.decode(errors="replace"): raw[repo_id, entry.oid]
            for name, entry in sorted(tree.items())
            if (repo_id, entry.oid) in raw
        }
        for repo_id, tree in entries.items()
    }


def _addresses(entries: Mapping[int, Mapping[bytes, Entry]]) -> list[Address]:
    return [(repo_id, entry.oid) for repo_id, tree in entries.items() for entry in tree.values()]


_FACTS = """
SELECT o.repo_id, o.oid, o.size, o.lfs_oid, o.lfs_size
FROM unnest(%s::bigint[], %s::bytea[]) AS w(repo_id, oid)
JOIN git_object o ON o.repo_id = w.repo_id AND o.oid = w.oid
"""


def facts_of(addresses: Iterable[Address]) -> dict[Address, BlobFacts]:
    """Sizes and pointers of blobs, in one query."""
    rows = sql.rows(_FACTS, _columns(addresses))
    return {
        (repo_id, oid): BlobFacts(size, lfs_oid, lfs_size)
        for repo_id, oid, size, lfs_oid, lfs_size in rows
    }


def _columns(addresses: Iterable[Address]) -> tuple[list[int], list[bytes]]:
    wanted = list(dict.fromkeys(addresses))
    return [repo_id for repo_id, _oid in wanted], [oid for _repo_id, oid in wanted]
