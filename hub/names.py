"""RepoName, RevisionName, EntryPath: parsed once at the edge, valid ever after."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from hub.errors import BadName, BadPath

MAX_PART = 96
MAX_SEGMENT_BYTES = 255
MAX_PATH_BYTES = 4096
MAX_DEPTH = 64

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?", re.ASCII)
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$|^[-/.]")
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_SHORT_COMMIT = re.compile(r"[0-9a-f]{5,40}", re.ASCII)
# Bidirectional overrides make a name read as another one.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Characters that HFS+ ignores in names, so that ".g\u200cit" would be ".git" there.
IGNORED_BY_HFS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


class RepoKind(StrEnum):
    """What a repo holds."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"

    @property
    def plural(self) -> str:
        """The word in API paths: ``/api/models/…``."""
        return f"{self.value}s"

    @property
    def prefix(self) -> str:
        """What stands before the name in web paths; nothing for models."""
        return "" if self is RepoKind.MODEL else f"{self.plural}/"


@dataclass(frozen=True, slots=True)
class RepoName:
    """A repo's full name, such as ``acme/llama-tiny``."""

    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``namespace/name``.

        Raises:
            BadName: it is not of that form.
        """
        namespace, slash, name = text.partition("/")
        if not (slash and _is_part(namespace) and _is_part(name)):
            raise BadName(
                f"{text!r} is not of the form namespace/name, each of 1 to {MAX_PART} letters, "
                "digits, '-', '_' and '.', without '--', '..' or '.git' at the end."
            )
        return cls(namespace, name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def _is_part(text: str) -> bool:
    return bool(
        _PART.fullmatch(text) and "--" not in text and ".." not in text and text[-4:] != ".git"
    )


@dataclass(frozen=True, slots=True)
class RevisionName:
    """What somebody asks for: a branch, a tag, a full ref or a (short) commit id."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a revision.

        Raises:
            BadName: no ref and no commit can be called so.
        """
        if not text or len(text.encode()) > MAX_SEGMENT_BYTES or _BAD_IN_REF.search(text):
            raise BadName(f"Invalid rev id: {text!r}")
        return cls(text)

    @property
    def is_commit(self) -> bool:
        return bool(_COMMIT.fullmatch(self.text))

    @property
    def may_be_short_commit(self) -> bool:
        return bool(_SHORT_COMMIT.fullmatch(self.text))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class EntryPath:
    """A path in a repo, such as ``weights/model.safetensors``; the root is the empty path."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the path of a file or folder.

        Raises:
            BadPath: git, a file system or a reader of the page could take it for another path.
        """
        problem = _problem_of_path(text)
        if problem:
            raise BadPath(f"{text!r} is not a valid path: {problem}.")
        return cls(text)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.text.split("/")) if self.text else ()

    @property
    def name(self) -> str:
        return self.text.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.text.rpartition("/")[0]

    def __str__(self) -> str:
        return self.text


ROOT = EntryPath("")


def _problem_of_path(text: str) -> str | None:
    if not text:
        return "it is empty"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > MAX_PATH_BYTES:
        return f"it is longer than {MAX_PATH_BYTES} bytes"
    parts = text.split("/")
    if len(parts) > MAX_DEPTH:
        return f"it is more than {MAX_DEPTH} folders deep"
    problems = (problem_of_segment(part) for part in parts)
    return next((problem for problem in problems if problem), None)


def problem_of_segment(part: str) -> str | None:
    """Answer what is wrong with the name of a file or folder, as the end of a sentence."""
    problems = {
        "a segment is empty, '.' or '..'": part in {"", ".", ".."},
        f"a segment is longer than {MAX_SEGMENT_BYTES} bytes": (
            len(part.encode()) > MAX_SEGMENT_BYTES
        ),
        "it holds a backslash or a control character": (
            "\\" in part or any(unicodedata.category(char) == "Cc" for char in part)
        ),
        "it holds a character that changes the direction of text": bool(_BIDI.search(part)),
        "a segment could be taken for '.git'": is_like_dot_git(part),
    }
    return next((problem for problem, found in problems.items() if found), None)


def is_like_dot_git(part: str) -> bool:
    """The names that git itself refuses on HFS+ and NTFS (``core.protectHFS``, ``protectNTFS``)."""
    plain = IGNORED_BY_HFS.sub("", part).lower()
    stem = plain.partition(":")[0].rstrip(". ")
    return stem in {".git", "git~1"}
