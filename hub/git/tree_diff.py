"""Which paths differ between two trees, wherever the trees are read from; equal ones never are."""

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from itertools import islice

from hub.errors import BadPath
from hub.git.objects import SYMLINK_MODE, Entry, Tree
from hub.names import MAX_DEPTH, MAX_PATH_BYTES

MAX_PATHS = 1_000_000
"""Of one commit. Folders may be in many places, so few objects can make endless paths."""

ReadTrees = Callable[[Collection[bytes]], Mapping[bytes, Tree]]

Links = MutableMapping[bytes, str]
Pair = tuple[bytes | None, bytes | None]
"""An old tree and a new one; None is no tree."""

_NONE: Tree = {}
_FIRST_PAIRS, _MOST_PAIRS = 16, 256
_ENTRIES_AT_ONCE = 100_000
"""About how many entries of trees are held at once; each takes a few hundred bytes."""


def differences(
    read: ReadTrees,
    old: bytes | None,
    new: bytes | None,
    *,
    most: int = MAX_PATHS,
    links: Links | None = None,
) -> dict[str, bool]:
    """Answer every file and folder that differs, and whether it is gone; None is no tree.

    Into ``links`` go the symbolic links of the new tree among them: for each object the path
    nearest to the root.

    Raises:
        BadPath: there are too many, or they are too long or too deep.
    """
    return _compared(read, [(old, new)], most, links)[0]


def all_differences(
    read: ReadTrees, pairs: Iterable[Pair], *, links: Links | None = None
) -> Iterator[dict[str, bool]]:
    """Like :func:`differences` for many pairs: trees of one depth are read together.

    Raises:
        BadPath: as for one pair; or some pairs have too many paths together, each maybe not.
    """
    entries = 0

    def counted(oids: Collection[bytes]) -> Mapping[bytes, Tree]:
        nonlocal entries
        trees = read(oids)
        entries += sum(map(len, trees.values()))
        return trees

    left, at_once = iter(pairs), _FIRST_PAIRS
    while chunk := list(islice(left, at_once)):
        entries = 0
        yield from _compared(counted, chunk, MAX_PATHS, links)
        at_once = max(1, min(_MOST_PAIRS, _ENTRIES_AT_ONCE * len(chunk) // (entries + 1)))


def _compared(
    read: ReadTrees, pairs: Sequence[Pair], most: int, links: Links | None
) -> list[dict[str, bool]]:
    found: list[dict[str, bool]] = [{} for _ in pairs]
    level = [(n, "", old, new) for n, (old, new) in enumerate(pairs) if old != new]
    depth = count = 0
    while level:
        depth += 1
        trees = read({oid for _n, _folder, *sides in level for oid in sides if oid})
        deeper: list[tuple[int, str, bytes | None, bytes | None]] = []
        for n, folder, before_oid, after_oid in level:
            before = trees[before_oid] if before_oid else _NONE
            after = trees[after_oid] if after_oid else _NONE
            names = {name for name, _entry in before.items() ^ after.items()}
            count += len(names)
            for name in names:
                path = folder + name.decode(errors="surrogateescape")
                found[n][path] = name not in after
                if links is not None and name in after:
                    _note_link(links, path, after[name])
                sides = _folder(before.get(name)), _folder(after.get(name))
                if sides != (None, None):
                    deeper.append((n, f"{path}/", *sides))
            _check_bounds(folder, depth, count, most)
        level = deeper
    return found


def _note_link(links: Links, path: str, entry: Entry) -> None:
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


def shallowest_links(read: ReadTrees, roots: Collection[bytes]) -> dict[bytes, str]:
    """Answer all symbolic links below some trees, each with its path nearest to a root.

    From there a link leads furthest out. Each tree is read once, however many commits have it.

    Raises:
        BadPath: folders are too deep.
    """
    links: dict[bytes, str] = {}
    seen: set[bytes] = set()
    level = dict.fromkeys(roots, "")
    for _depth in range(MAX_DEPTH + 1):
        deeper: dict[bytes, str] = {}
        seen |= level.keys()
        for folder, tree in _folders(read, level):
            for name, entry in tree.items():
                if entry.is_tree and entry.oid not in seen:
                    deeper[entry.oid] = f"{folder}{name.decode(errors='replace')}/"
                elif entry.mode == SYMLINK_MODE:
                    links.setdefault(entry.oid, folder + name.decode(errors="replace"))
        level = deeper
    if level:
        raise BadPath(f"{min(level.values())[:100]}… is more than {MAX_DEPTH} folders deep.")
    return links


def _folders(read: ReadTrees, level: Mapping[bytes, str]) -> Iterator[tuple[str, Tree]]:
    left = iter(level)
    while batch := list(islice(left, _MOST_PAIRS)):
        trees = read(batch)
        yield from ((level[oid], trees[oid]) for oid in batch)


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
