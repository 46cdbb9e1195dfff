"""List folders and find entries of one commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.errors import EntryNotFound
from hub.git.objects import Entry
from hub.models import sql
from hub.names import EntryPath
from hub.queries.history import CommitRow
from hub.queries.objects import blob_facts, read_raw, read_tree, read_trees


@dataclass(frozen=True, slots=True)
class Found:
    """An entry by path, with what the tree itself tells."""

    path: str
    is_folder: bool
    oid: bytes

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class LargeFile:
    """What a pointer names, the size of the pointer itself, and the Xet hash if there is one."""

    sha256: bytes
    size: int
    pointer_size: int
    xet_hash: bytes | None


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry with size and, for a large file, what its pointer names."""

    path: str
    is_folder: bool
    oid: bytes
    size: int
    """Bytes that a download gives; 0 for folders."""
    large: LargeFile | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def etag(self) -> str:
        """SHA-256 of a large file, git id of any other."""
        return (self.large.sha256 if self.large else self.oid).hex()


def find(repo_id: int, commit: CommitRow, path: EntryPath) -> Found:
    """Find a file or folder.

    Raises:
        EntryNotFound: the commit has no such path.
    """
    oid, is_folder = commit.tree, True
    for depth, part in enumerate(path.parts):
        entry = read_tree(repo_id, oid).entries.get(part.encode()) if is_folder else None
        if entry is None:
            missing = "/".join(path.parts[: depth + 1])
            raise EntryNotFound(f'"{path}" does not exist: there is no "{missing}".')
        oid, is_folder = entry.oid, entry.is_tree
    return Found(path.text, is_folder, oid)


def find_many(repo_id: int, commit: CommitRow, paths: Iterable[EntryPath]) -> list[Found]:
    """Find those of ``paths`` that exist, level by level: one query per depth, not per path."""
    waiting: list[tuple[EntryPath, int, bytes]] = [(path, 0, commit.tree) for path in paths]
    found: list[Found] = []
    while waiting:
        trees = read_trees(repo_id, (oid for _path, _depth, oid in waiting))
        deeper: list[tuple[EntryPath, int, bytes]] = []
        for path, depth, oid in waiting:
            entry = trees[oid].entries.get(path.parts[depth].encode())
            if entry is None:
                continue
            if depth + 1 == len(path.parts):
                found.append(Found(path.text, entry.is_tree, entry.oid))
            elif entry.is_tree:
                deeper.append((path, depth + 1, entry.oid))
        waiting = deeper
    return found


def list_folder(repo_id: int, commit: CommitRow, path: EntryPath) -> list[Found]:
    """List a folder by name, folders among files as git orders them.

    Raises:
        EntryNotFound: the commit has no such folder.
    """
    folder = find(repo_id, commit, path)
    if not folder.is_folder:
        raise EntryNotFound(f'"{path}" is a file, not a folder.')
    return _children(path.text, read_tree(repo_id, folder.oid).entries)


def list_all(repo_id: int, commit: CommitRow, path: EntryPath) -> list[Found]:
    """List a folder and all below it, by path; one query per depth.

    Raises:
        EntryNotFound: the commit has no such folder.
    """
    level = list_folder(repo_id, commit, path)
    found = list(level)
    while folders := [entry for entry in level if entry.is_folder]:
        trees = read_trees(repo_id, (folder.oid for folder in folders))
        level = [
            child
            for folder in folders
            for child in _children(folder.path, trees[folder.oid].entries)
        ]
        found += level
    return sorted(found, key=lambda entry: entry.path)


def _children(folder: str, entries: dict[bytes, Entry]) -> list[Found]:
    prefix = f"{folder}/" if folder else ""
    return [
        Found(prefix + name.decode(errors="surrogateescape"), entry.is_tree, entry.oid)
        for name, entry in sorted(entries.items())
    ]


def facts_of(repo_id: int, entries: Sequence[Found]) -> list[EntryFacts]:
    """Add sizes and pointers: two queries for any number of entries, in the same order."""
    blobs = blob_facts(repo_id, [entry.oid for entry in entries if not entry.is_folder])
    digests = [blob.lfs_oid for blob in blobs.values() if blob.lfs_oid]
    hashes = xet_hashes(repo_id, digests)
    found: list[EntryFacts] = []
    for entry in entries:
        blob = blobs.get(entry.oid)
        large = None
        if blob and blob.lfs_oid is not None and blob.lfs_size is not None:
            large = LargeFile(blob.lfs_oid, blob.lfs_size, blob.size, hashes.get(blob.lfs_oid))
        size = large.size if large else (blob.size if blob else 0)
        found.append(EntryFacts(entry.path, entry.is_folder, entry.oid, size, large))
    return found


def xet_hashes(repo_id: int, digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """For each SHA-256 that the repo holds in Xet form the file's Xet hash."""
    if not digests:
        return {}
    rows = sql.rows(
        "SELECT r.sha256, f.hash FROM hub_xetrepofile r JOIN hub_xetfile f ON f.id = r.file_id "
        "WHERE r.repo_id = %s AND r.sha256 = ANY(%s)",
        [repo_id, list(digests)],
    )
    return dict(rows)


def entry_facts(repo_id: int, commit: CommitRow, path: EntryPath) -> EntryFacts:
    """Find one entry with its size and pointer.

    Raises:
        EntryNotFound: the commit has no such path.
    """
    return facts_of(repo_id, [find(repo_id, commit, path)])[0]


def read_file(repo_id: int, commit: CommitRow, path: EntryPath) -> bytes | None:
    """Answer the git blob at ``path``, or None if there is no such file."""
    try:
        entry = find(repo_id, commit, path)
    except EntryNotFound:
        return None
    return None if entry.is_folder else read_raw(repo_id, entry.oid)[1]
