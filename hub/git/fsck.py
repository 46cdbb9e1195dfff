"""Is an object what `git fsck --strict` takes: fsck.c of git, and what our columns can hold.

Names are held to the rule of all paths: what is taken here can be named by every other way, too.
"""

import re
from collections.abc import Iterator, Sequence
from operator import lt

from hub.errors import BadObject
from hub.git.objects import OID_BYTES, SYMLINK_MODE, TREE_MODE
from hub.names import IGNORED_BY_HFS, problem_of_segment

SUBMODULE_MODE = b"160000"
MODES = frozenset({b"100644", b"100755", b"100664", TREE_MODE, SYMLINK_MODE, SUBMODULE_MODE})
"""What git knows; 100664 was written by its first versions and is still taken."""

TreeEntry = tuple[bytes, bytes, bytes]
"""Mode, name and id."""

_ENTRY = re.compile(rb"([0-7]{1,7}) ([^\0]*)\0(.{20})", re.DOTALL)
_ENTRY_OVERHEAD = OID_BYTES + 2
_SEEN_AT_MOST = 200_000
_NULL_OID = bytes(OID_BYTES)


class TreeChecker:
    """Checks trees; what versions of a folder have in common is looked at once."""

    def __init__(self) -> None:
        self._seen: set[TreeEntry] = set()

    def fresh_entries(self, raw: bytes) -> set[TreeEntry]:
        """Check a tree, and answer those of its entries that were in no tree before.

        Raises:
            BadObject: git would not take it.
        """
        entries: list[TreeEntry] = _ENTRY.findall(raw)
        modes, names, _oids = zip(*entries, strict=True) if entries else ((), (), ())
        used = sum(map(len, modes)) + sum(map(len, names))
        if used + len(entries) * _ENTRY_OVERHEAD != len(raw):
            raise BadObject("A tree is malformed.")
        _check_order(modes, names)
        if len(self._seen) > _SEEN_AT_MOST:
            self._seen.clear()
        fresh = set(entries) - self._seen
        for entry in fresh:
            _check_entry(*entry)
        self._seen |= fresh
        return fresh


def _check_order(modes: Sequence[bytes], names: Sequence[bytes]) -> None:
    """In git's order the names of folders end in a slash; so a file may hide from a folder."""
    keys = names
    if TREE_MODE in modes:
        pairs = zip(modes, names, strict=True)
        keys = [name + b"/" if mode == TREE_MODE else name for mode, name in pairs]
    if not all(map(lt, keys, keys[1:])):
        raise BadObject("The entries of a tree are not in order, or there are two of a name.")
    if len(set(names)) != len(names):
        raise BadObject("A tree has a file and a folder of the same name.")


def _check_entry(mode: bytes, name: bytes, oid: bytes) -> None:
    if mode in MODES and oid != _NULL_OID and _HARMLESS.fullmatch(name):
        return
    problem = _problem_of_name(name)
    shown = name.decode(errors="backslashreplace")
    if problem:
        raise BadObject(f"The name {shown!r} in a tree is refused: {problem}.")
    if mode not in MODES:
        raise BadObject(f"{shown!r} has a mode that git does not know: {mode.decode()}.")
    if oid == _NULL_OID:
        raise BadObject(f"{shown!r} in a tree names nothing.")
    if mode == SYMLINK_MODE and is_gitmodules(name):
        raise BadObject(".gitmodules must not be a symbolic link.")


_HARMLESS = re.compile(rb"[A-Za-z0-9_-][A-Za-z0-9_.+-]{0,254}")
"""Most names: nothing in them that a system could read as another name."""


def _problem_of_name(name: bytes) -> str | None:
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return "it is not UTF-8; rename the file, for instance by convmv"
    return "it holds a slash" if "/" in text else problem_of_segment(text)


_GITMODULES_SHORT = re.compile(r"(?:gitmod~[1-4]|gi7eba~\d|gi7eb~\d\d)")


def is_gitmodules(name: bytes) -> bool:
    """Whether some file system could take a name for ``.gitmodules``."""
    if _HARMLESS.fullmatch(name):
        return False
    text = IGNORED_BY_HFS.sub("", name.decode(errors="replace")).lower()
    stem = text.partition(":")[0].rstrip(". ")
    return stem == ".gitmodules" or bool(_GITMODULES_SHORT.fullmatch(stem))


_IDENT = rb"(?!<)[^<>\n]*(?<= )<[^<>\n]*> (?:0|[1-9]\d{0,11}) [+-]\d{4}"
_LATEST = 253402300799
"""The last second of the year 9999."""
_COMMIT = re.compile(
    rb"tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)*"
    rb"author (?P<author>%b)\ncommitter (?P<committer>%b)\n" % (_IDENT, _IDENT)
)
_TAG = re.compile(
    rb"object [0-9a-f]{40}\ntype (?P<type>\w+)\ntag (?P<name>[^\n]+)\n(?:tagger (?P<tagger>%b)\n)?"
    % _IDENT
)


def check_commit(raw: bytes) -> None:
    """Check a commit.

    Raises:
        BadObject: git would not take it.
    """
    found = _COMMIT.match(raw)
    if found is None:
        raise BadObject("A commit is malformed: its tree, parents, author or committer.")
    _check_text("commit", raw)
    _check_dates(found["author"], found["committer"])
    if b"\nauthor " in raw[found.end() - 1 : _end_of_headers(raw)]:
        raise BadObject("A commit has more than one author.")


def check_tag(raw: bytes) -> None:
    """Check an annotated tag.

    Raises:
        BadObject: git would not take it, or it names neither a commit nor another tag.
    """
    found = _TAG.match(raw)
    if found is None:
        raise BadObject("A tag is malformed: its object, type, name or tagger.")
    if found["type"] not in {b"commit", b"tag"}:
        raise BadObject(f"The tag {found['name'].decode(errors='replace')} must name a commit.")
    _check_text("tag", raw)
    _check_dates(*filter(None, [found["tagger"]]))


def _end_of_headers(raw: bytes) -> int:
    end = raw.find(b"\n\n")
    return len(raw) if end < 0 else end


def _check_text(what: str, raw: bytes) -> None:
    if b"\0" in raw:
        raise BadObject(f"A {what} holds a NUL character.")
    if b"\n\n" not in raw and not raw.endswith(b"\n"):
        raise BadObject(f"The headers of a {what} do not end.")


def _check_dates(*idents: bytes) -> None:
    if any(int(ident.split()[-2]) > _LATEST for ident in idents):
        raise BadObject("A date is after the year 9999.")


_SECTION = re.compile(r'\s*\[\s*submodule\s+"((?:[^"\\]|\\.)*)"\s*\]', re.IGNORECASE)
_SETTING = re.compile(r"\s*(url|path|update)\s*=\s*(.*)", re.IGNORECASE)


def check_gitmodules(raw: bytes) -> None:
    """Refuse what makes old clients run commands or write outside of a checkout.

    Raises:
        BadObject: a submodule's name, address, path or update is an attack.
    """
    for problem in _problems_of_gitmodules(raw.decode(errors="replace")):
        raise BadObject(f".gitmodules is refused: {problem}.")


def _problems_of_gitmodules(text: str) -> Iterator[str]:
    for line in re.split(r"(?<!\\)\n", text):
        if section := _SECTION.match(line):
            name = re.sub(r"\\(.)", r"\1", section[1])
            if not name or ".." in re.split(r"[/\\]", name):
                yield f"the submodule name {name!r}"
            line = line[section.end() :]  # noqa: PLW2901 - a setting may follow on the same line
        if setting := _SETTING.match(line):
            key, value = setting[1].lower(), setting[2].strip().strip('"')
            if value.startswith("!" if key == "update" else "-"):
                yield f"{key} = {value}"
            if key == "url" and re.search(r"\\n|%0a", value, re.IGNORECASE):
                yield f"the address {value} holds a line end"
