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
    parts = pattern.split("/")
    pieces: list[str] = []
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        if part == "**":
            pieces.append(".*" if is_last else "(?:.+/)?")
        elif part == "*":
            pieces.append("[^/]+" if is_last else "[^/]+/")
        elif "**" in part:
            raise Unresolvable(
                "DataFilesNotFoundError",
                f"Invalid pattern {pattern!r}: '**' can only be an entire path component.",
            )
        else:
            pieces.append("".join(_segment(part)) + ("" if is_last else "/"))
    try:
        return re.compile(f"(?s:{''.join(pieces)})\\Z")
    except re.error as reason:
        raise Unresolvable(
            "DataFilesNotFoundError", f"Invalid pattern {pattern!r}: {reason}."
        ) from None


def _segment(part: str) -> Iterator[str]:
    """One segment as a regular expression."""
    at = 0
    while at < len(part):
        char = part[at]
        if char == "*":
            yield "[^/]*"
        elif char == "?":
            yield "[^/]"
        elif char == "[" and (end := _class_end(part, at)):
            yield _class(part[at + 1 : end])
            at = end
        else:
            yield re.escape(char)
        at += 1


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
