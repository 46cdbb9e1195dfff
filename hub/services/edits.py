"""TreeEdit: change paths of one tree and write only the trees on the way to them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.errors import BadPath, EntryNotFound
from hub.git.objects import SYMLINK_MODE, TREE_MODE, Entry, Tree, build_tree
from hub.git.stored import Keyframe, StoredObject, store_tree
from hub.git.symlinks import check_link
from hub.names import EntryPath
from hub.queries.objects import LoadedTree, loaded, read_raw, read_tree, read_trees

_MISSING = "A file with this name doesn't exist"
_UNWRITTEN = b""
"""Stands for the id of a new folder until :meth:`TreeEdit.finish` knows it."""


@dataclass
class _Folder:
    """A folder being edited; ``oid`` is None for a new one."""

    oid: bytes | None = None
    entries: Tree = field(default_factory=dict)
    keyframe: Keyframe | None = None
    open: dict[bytes, "_Folder"] = field(default_factory=dict)
    touched: bool = False


class TreeEdit:
    """Edits of one repo's tree, in the order in which they are asked for."""

    def __init__(self, repo_id: int, root: bytes | None, paths: Iterable[EntryPath]) -> None:
        """Begin at the tree ``root`` (None: empty); ``paths`` only says what to read ahead."""
        self._repo_id = repo_id
        self._root = _Folder()
        self.changes: dict[str, bool] = {}
        """Every path that changed, folders included, and whether it is gone."""
        self.written: list[LoadedTree] = []
        """The trees that :meth:`finish` answered, as they would be read again."""
        if root is not None:
            self._root = _opened(read_tree(repo_id, root))
            self._read_ahead(list(paths))

    def _read_ahead(self, paths: list[EntryPath]) -> None:
        """Open the folders on the way to ``paths``: one query per depth, not per path."""
        level: dict[str, _Folder] = {"": self._root}
        depth = 0
        while level:
            wanted: dict[str, tuple[_Folder, bytes, bytes]] = {}
            for path in paths:
                parent = level.get("/".join(path.parts[:depth]))
                if parent is None or len(path.parts) <= depth + 1:
                    continue
                name = path.parts[depth].encode()
                entry = parent.entries.get(name)
                if entry is not None and entry.is_tree:
                    wanted["/".join(path.parts[: depth + 1])] = (parent, name, entry.oid)
            trees = read_trees(self._repo_id, (oid for _parent, _name, oid in wanted.values()))
            level = {}
            for key, (parent, name, oid) in wanted.items():
                level[key] = parent.open[name] = _opened(trees[oid])
            depth += 1

    def entry(self, path: EntryPath) -> Entry:
        """Answer what is at ``path`` now.

        Raises:
            EntryNotFound: nothing.
        """
        folder = self._descend(path)
        entry = folder.entries.get(path.name.encode()) if folder else None
        if entry is None:
            raise EntryNotFound(f"{_MISSING}: {path}")
        return entry

    def put(self, path: EntryPath, entry: Entry) -> None:
        """Put a file at ``path``, in place of what is there.

        Raises:
            BadPath: there is a folder of that name, or a file where a folder would have to be.
        """
        folder, name = self._descend_to_write(path), path.name.encode()
        old = folder.entries.get(name)
        if old is not None and old.is_tree:
            raise BadPath(f"{path} is a folder; delete it before you put a file in its place.")
        if old == entry:
            return
        folder.entries[name] = entry
        self._note(path, gone=False)

    def copy(self, path: EntryPath, source: EntryPath) -> None:
        """Put the file at ``source`` at ``path``, too.

        Raises:
            EntryNotFound: there is no such file.
            BadPath: as for :meth:`put`.
            BadObject: it is a symbolic link that would lead out of the repo from there.
        """
        entry = self.entry(source)
        if entry.is_tree:
            raise EntryNotFound(f"{_MISSING}: {source} is a folder")
        if entry.mode == SYMLINK_MODE:
            check_link(path.text, read_raw(self._repo_id, entry.oid)[1])
        self.put(path, entry)

    def delete(self, path: EntryPath) -> None:
        """Delete the file at ``path``.

        Raises:
            EntryNotFound: there is no such file.
        """
        if self.entry(path).is_tree:
            raise EntryNotFound(f"{_MISSING}: {path} is a folder")
        self._remove(path)

    def delete_folder(self, path: EntryPath) -> None:
        """Delete a folder with all that is in it.

        Raises:
            EntryNotFound: there is no such folder.
        """
        if not self.entry(path).is_tree:
            raise EntryNotFound(f"A folder with this name doesn't exist: {path}")
        self._note_all_gone(path)
        self._remove(path)

    def finish(self) -> tuple[bytes, list[StoredObject]]:
        """Answer the id of the new root and the trees to store. Empty folders vanish."""
        stored: list[StoredObject] = []
        root = self._write(self._root, stored)
        if root is None:
            empty = store_tree(b"", None)
            return empty.oid, [empty]
        return root, stored

    def _write(self, folder: _Folder, stored: list[StoredObject]) -> bytes | None:
        if not folder.touched and folder.oid is not None:
            return folder.oid
        for name, child in folder.open.items():
            oid = self._write(child, stored)
            if oid is not None:
                folder.entries[name] = Entry(TREE_MODE, oid)
        if not folder.entries:
            return None
        raw = build_tree(folder.entries)
        made = store_tree(raw, folder.keyframe)
        stored.append(made)
        old = folder.keyframe if made.base is not None else None
        keyframe = old or Keyframe(made.oid, raw)
        self.written.append(loaded(made.oid, folder.entries, len(raw), keyframe))
        return made.oid

    def _descend(self, path: EntryPath) -> _Folder | None:
        """Open the folder that holds ``path``, if it exists."""
        folder = self._root
        for part in path.parts[:-1]:
            child = self._child(folder, part.encode())
            if child is None:
                return None
            folder = child
        return folder

    def _descend_to_write(self, path: EntryPath) -> _Folder:
        folder = self._root
        folder.touched = True
        for part in path.parts[:-1]:
            name = part.encode()
            child = self._child(folder, name)
            if child is None:
                if name in folder.entries:
                    raise BadPath(f"{path}: {part} is a file, so it can't hold other files.")
                child = folder.open[name] = _Folder()
                folder.entries[name] = Entry(TREE_MODE, _UNWRITTEN)
            child.touched = True
            folder = child
        return folder

    def _child(self, folder: _Folder, name: bytes) -> _Folder | None:
        if name not in folder.open:
            entry = folder.entries.get(name)
            if entry is None or not entry.is_tree:
                return None
            folder.open[name] = _opened(read_tree(self._repo_id, entry.oid))
        return folder.open[name]

    def _remove(self, path: EntryPath) -> None:
        """Take out what is at ``path``, and the folders that are empty without it."""
        way = [self._root]
        for part in path.parts[:-1]:
            way[-1].touched = True
            way.append(way[-1].open[part.encode()])
        self._note(path, gone=True)
        for depth in range(len(path.parts), 0, -1):
            folder, name = way[depth - 1], path.parts[depth - 1].encode()
            folder.touched = True
            del folder.entries[name]
            folder.open.pop(name, None)
            self.changes["/".join(path.parts[:depth])] = True
            if folder.entries:
                break

    def _note(self, path: EntryPath, *, gone: bool) -> None:
        """A change of a file is a change of every folder above it."""
        self.changes[path.text] = gone
        for depth in range(1, len(path.parts)):
            self.changes["/".join(path.parts[:depth])] = False

    def _note_all_gone(self, path: EntryPath) -> None:
        waiting = [(path.text, self.entry(path).oid)]
        while waiting:
            trees = read_trees(self._repo_id, (oid for _path, oid in waiting))
            deeper: list[tuple[str, bytes]] = []
            for folder, oid in waiting:
                tree = trees.get(oid)
                for name, entry in tree.entries.items() if tree else ():
                    child = f"{folder}/{name.decode(errors='surrogateescape')}"
                    self.changes[child] = True
                    if entry.is_tree:
                        deeper.append((child, entry.oid))
            waiting = deeper


def _opened(tree: LoadedTree) -> _Folder:
    return _Folder(oid=tree.oid, entries=dict(tree.entries), keyframe=tree.keyframe)
