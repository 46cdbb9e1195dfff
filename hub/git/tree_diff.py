"""Which paths differ between two trees, wherever the trees are read from; equal ones never are."""

from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping

from hub.errors import BadPath
from hub.git.objects import SYMLINK_MODE, Entry, Tree
from hub.names import MAX_DEPTH, MAX_PATH_BYTES

MAX_PATHS = 1_000_000
"""Of one commit. Folders may be in many places, so few objects can make endless paths."""

ReadTrees = Callable[[Collection[bytes]], Mapping[bytes, Tree]]

_NONE: Tree = {}


def differences(
    read: ReadTrees,
    old: bytes | None,
    new: bytes | None,
    *,
    most: int = MAX_PATHS,
    links: MutableMapping[bytes, str] | None = None,
) -> dict[str, bool]:
    """Answer every file and folder that differs, and whether it is gone; None is no tree.

    Into ``links`` go the symbolic links of the new tree among them: for each object the path
    nearest to the root.

    Raises:
        BadPath: there are too many, or they are too long or too deep.
    """
    found: dict[str, bool] = {}
    level = [("", old, new)] if old != new else []
    depth = 0
    while level:
        depth += 1
        trees = read({oid for _folder, *sides in level for oid in sides if oid})
        deeper: list[tuple[str, bytes | None, bytes | None]] = []
        for folder, before_oid, after_oid in level:
            before = trees[before_oid] if before_oid else _NONE
            after = trees[after_oid] if after_oid else _NONE
            for name in {name for name, _entry in before.items() ^ after.items()}:
                path = folder + name.decode(errors="surrogateescape")
                found[path] = name not in after
                if links is not None and name in after:
                    _note_link(links, path, after[name])
                sides = _folder(before.get(name)), _folder(after.get(name))
                if sides != (None, None):
                    deeper.append((f"{path}/", *sides))
            _check_bounds(folder, depth, len(found), most)
        level = deeper
    return found


def _note_link(links: MutableMapping[bytes, str], path: str, entry: Entry) -> None:
    if entry.mode == SYMLINK_MODE:
        links[entry.oid] = min(path, links.get(entry.oid, path), key=lambda one: one.count("/"))


def _folder(entry: Entry | None) -> bytes | None:
    return entry.oid if entry is not None and entry.is_tree else None


def _check_bounds(folder: str, depth: int, count: int, most: int) -> None:
    if count > most:
        raise BadPath(f"A commit changes more than {most:,} paths.")
    if depth > MAX_DEPTH:
        raise BadPath(f"{folder[:100]}… is more than {MAX_DEPTH} folders deep.")
    if len(folder) > MAX_PATH_BYTES:
        raise BadPath(f"{folder[:100]}… is longer than {MAX_PATH_BYTES} bytes.")


def paths_of(
    read: ReadTrees, roots: Iterable[bytes], wanted: Collection[bytes]
) -> dict[bytes, str]:
    """For each of ``wanted`` a path at which one of the trees in ``roots`` has it.

    Trees that ``read`` does not answer are passed over, and each is looked into once.
    """
    found: dict[bytes, str] = {}
    seen: set[bytes] = set()
    waiting = [("", root) for root in roots]
    while waiting and len(found) < len(wanted):
        folder, oid = waiting.pop()
        if oid in seen:
            continue
        seen.add(oid)
        for name, entry in read([oid]).get(oid, _NONE).items():
            path = folder + name.decode(errors="replace")
            if entry.is_tree:
                waiting.append((f"{path}/", entry.oid))
            elif entry.oid in wanted:
                found.setdefault(entry.oid, path)
    return found
