"""Which files of a repo a pattern means, as the datasets library and fsspec (≥ 2023.12) find them.

``*`` and ``?`` stay within a folder, ``**`` as a whole segment crosses folders. Hidden files and
folders whose names begin with two underscores are meant only if the pattern names them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

from datasets_app.errors import Unresolvable

_IGNORED: Final = frozenset(
    {
        *("README.md", "config.json", "dataset_info.json", "dataset_infos.json"),
        *("dummy_data.zip", "dataset_dict.json"),
    }
)
_MAGIC: Final = re.compile(r"[*?[]")
_FOLDERS: Final = "(?:[^/]+/)*"
MAX_PATTERN: Final = 1024


def has_magic(pattern: str) -> bool:
    return bool(_MAGIC.search(pattern))


def matches(pattern: str, paths: Iterable[str]) -> list[str]:
    """Those of ``paths`` (files, sorted) that a pattern means.

    Raises:
        Unresolvable: it is no pattern within a repo.
    """
    pattern = _checked(pattern)
    ignored = _IGNORED - {pattern.rpartition("/")[2]}
    if not has_magic(pattern):
        found: Iterable[str] = (path for path in paths if path == pattern)
    else:
        expression = _expression(pattern)
        found = (path for path in paths if expression.match(path))
    return [
        path
        for path in found
        if path.rpartition("/")[2] not in ignored
        and _count(_special(path)) == _count(_special(pattern))
        and _count(_hidden(path)) == _count(_hidden(pattern))
    ]


def _checked(pattern: str) -> str:
    plain = pattern.removeprefix("./")
    is_outside = plain.startswith("/") or ".." in plain.split("/")
    if "://" in plain or "::" in plain or is_outside or len(plain) > MAX_PATTERN:
        raise Unresolvable(
            "DataFilesNotFoundError", f"{pattern!r} does not stay within the repo: it is not read."
        )
    return plain


def _count(parts: Iterator[str]) -> int:
    return sum(1 for _part in parts)


def _special(path: str) -> Iterator[str]:
    return (part for part in PurePosixPath(path).parent.parts if part.startswith("__"))


def _hidden(path: str) -> Iterator[str]:
    return (part for part in PurePosixPath(path).parts if part.startswith(".") and part.strip("."))


@lru_cache(maxsize=512)
def _expression(pattern: str) -> re.Pattern[str]:
    """The same as a regular expression that tries no place twice, whatever the pattern.

    What stands behind a star is taken where it comes first, and for good: any later place would
    leave the rest less to choose from. So a path that does not match costs its length, once for
    each part of the pattern, and not a power of it.
    """
    parts = pattern.split("/")
    if any("**" in part and part != "**" for part in parts):
        raise Unresolvable(
            "DataFilesNotFoundError",
            f"Invalid pattern {pattern!r}: '**' can only be an entire path component.",
        )
    try:
        return re.compile(f"(?s:{_joined(parts)})\\Z")
    except re.error as reason:
        raise Unresolvable(
            "DataFilesNotFoundError", f"Invalid pattern {pattern!r}: {reason}."
        ) from None


def _joined(parts: Sequence[str]) -> str:
    """Segments between ``**`` as one regular expression."""
    *before, last = _runs(parts)
    pieces: list[str] = []
    for index, run in enumerate(before):
        inside = "".join(f"{_segment(part)}/" for part in run)
        pieces.append(f"(?>{_FOLDERS}?{inside})" if index else inside)
    if not last:
        return "".join([*pieces, ".*"])
    *folders, name = last
    tail = "".join(f"{_segment(part)}/" for part in folders) + _segment(name)
    return "".join([*pieces, _FOLDERS if before else "", tail])


def _runs(parts: Sequence[str]) -> list[list[str]]:
    """The segments before, between and behind ``**``; two of those in a row are one."""
    runs: list[list[str]] = [[]]
    for index, part in enumerate(parts):
        if part != "**":
            runs[-1].append(part)
        elif not index or parts[index - 1] != "**":
            runs.append([])
    return runs


def _segment(part: str) -> str:
    """One segment as a regular expression."""
    if part == "*":
        return "[^/]+"
    first, *rest = _between_stars(part)
    if not rest:
        return first
    *middle, last = rest
    return "".join([first, *(f"(?>[^/]*?{fixed})" for fixed in middle), "[^/]*", last])


def _between_stars(part: str) -> list[str]:
    """What stands before, between and behind the stars of a segment; each of a fixed length."""
    found = [""]
    at = 0
    while at < len(part):
        char = part[at]
        if char == "*":
            found.append("")
        elif char == "?":
            found[-1] += "[^/]"
        elif char == "[" and (end := _class_end(part, at)):
            found[-1] += _class(part[at + 1 : end])
            at = end
        else:
            found[-1] += re.escape(char)
        at += 1
    return found


def _class_end(part: str, start: int) -> int:
    """Where a class of characters ends; 0 if it does not, and is no class."""
    at = start + 1
    at += part[at : at + 1] == "!"
    at += part[at : at + 1] == "]"
    return max(part.find("]", at), 0)


def _class(inside: str) -> str:
    negated, chars = inside.startswith("!"), inside.removeprefix("!")
    # A hyphen between two characters is a range, any other stands for itself.
    escaped = "".join(
        char
        if char == "-" and 0 < index < len(chars) - 1 and chars[index - 1] <= chars[index + 1]
        else re.escape(char)
        for index, char in enumerate(chars)
    )
    return f"[{'^' if negated else ''}{escaped}]"


def first_of(patterns: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether any of the patterns means any file."""
    return any(matches(pattern, paths) for pattern in patterns)
