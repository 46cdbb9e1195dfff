"""Which files go to large-file storage and which are ignored: .gitattributes and .gitignore.

The rules are those of gitattributes(5) and gitignore(5) for one file at the root of a repo;
``[attr]`` macros are not followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

from hub.git.wildmatch import Pattern
from hub.names import RepoKind

MAX_REGULAR_BYTES = 10 * 1024 * 1024
MAX_REGULAR_BINARY_BYTES = 1024 * 1024
MAX_ATTRIBUTE_LINE_BYTES = 2048
"""Git drops longer lines of .gitattributes, and so do we."""

_LFS_GLOBS = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack "
    "*.npy *.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors "
    "saved_model/**/* *.tar.* *.tar *.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents*"
)
_LFS_GLOBS_OF_DATASETS = (
    "*.lz4 *.mds *.pcm *.sam *.raw *.aac *.flac *.mp3 *.ogg *.wav *.bmp *.gif *.png *.tiff "
    "*.jpg *.jpeg *.webp *.mp4 *.webm"
)

UploadMode = Literal["lfs", "regular"]


def default_attributes(kind: RepoKind) -> str:
    """The .gitattributes that a new repo of this kind begins with."""
    globs = f"{_LFS_GLOBS} {_LFS_GLOBS_OF_DATASETS}" if kind is RepoKind.DATASET else _LFS_GLOBS
    return "".join(f"{glob} filter=lfs diff=lfs merge=lfs -text\n" for glob in globs.split())


@dataclass(frozen=True, slots=True)
class Attributes:
    """The ``filter`` attribute as one .gitattributes file sets it: patterns in order, last wins."""

    rules: tuple[tuple[Pattern, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(tuple(_filter_rules(text)))

    def tracks_with_lfs(self, path: str) -> bool:
        for pattern, value in reversed(self.rules):
            if pattern.matches(path):
                return value == "lfs"
        return False


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One line of .gitignore."""

    pattern: Pattern
    ignores: bool
    only_folders: bool


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """One .gitignore file: the last matching line wins, but nothing escapes an ignored folder."""

    rules: tuple[IgnoreRule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        lines = text.removeprefix("\ufeff").split("\n")
        rules = (_ignore_rule(line.removesuffix("\r")) for line in lines)
        return cls(tuple(rule for rule in rules if rule))

    def ignores(self, path: str) -> bool:
        names = path.split("/")
        folders = ("/".join(names[:depth]) for depth in range(1, len(names)))
        return any(self._verdict(folder, True) for folder in folders) or self._verdict(path, False)  # noqa: FBT003

    def _verdict(self, path: str, is_folder: bool) -> bool:  # noqa: FBT001
        for rule in reversed(self.rules):
            if (is_folder or not rule.only_folders) and rule.pattern.matches(path):
                return rule.ignores
        return False


def upload_mode(path: str, size: int, sample: bytes, attributes: Attributes) -> UploadMode:
    """How a file of this size, beginning with ``sample``, is to be uploaded."""
    if size == 0:
        return "regular"
    if attributes.tracks_with_lfs(path) or size > MAX_REGULAR_BYTES:
        return "lfs"
    return "lfs" if size > MAX_REGULAR_BINARY_BYTES and is_binary(sample) else "regular"


def is_binary(sample: bytes) -> bool:
    """Whether the first bytes of a file are anything but UTF-8 text."""
    if b"\0" in sample:
        return True
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # A sample may end in the middle of a character, which has up to four bytes.
        return error.reason != "unexpected end of data"
    return False


_BLANK = " \t\r\n"
_TOKEN = re.compile(r"[^ \t\r\n]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[ \t\r]|$)')
_ATTRIBUTE = re.compile(r"[-!]?(?!-)([-A-Za-z0-9_.]+)(?:=(.*))?", re.DOTALL)
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-3][0-7]{2})")
_ESCAPED = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


def _filter_rules(text: str) -> Iterator[tuple[Pattern, str]]:
    for line in text.removeprefix("\ufeff").split("\n"):
        stripped = line.lstrip(_BLANK)
        if not stripped or stripped.startswith("#"):
            continue
        if len(line.encode(errors="surrogatepass")) >= MAX_ATTRIBUTE_LINE_BYTES:
            continue
        glob, rest = _glob_of(stripped)
        value = _filter_value(_TOKEN.findall(rest))
        # Git takes no negative patterns here, and one for folders sets nothing on files.
        if value is not None and not glob.startswith(("!", "[attr]")) and not glob.endswith("/"):
            yield Pattern.parse(glob), value


def _glob_of(line: str) -> tuple[str, str]:
    quoted = _QUOTED.match(line)
    if quoted:
        raw = _ESCAPE.sub(_unescape, quoted[1].encode(errors="surrogatepass"))
        return raw.decode(errors="replace"), line[quoted.end() :]
    token = _TOKEN.match(line)
    assert token is not None  # noqa: S101  the line is not blank
    return token[0], line[token.end() :]


def _unescape(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([_ESCAPED[code[0]] if len(code) == 1 else int(code, 8)])


def _filter_value(tokens: list[str]) -> str | None:
    """What one line makes of ``filter``; ``None`` when it says nothing, or nothing valid."""
    value = None
    for token in tokens:
        attribute = _ATTRIBUTE.fullmatch(token)
        if not attribute:
            return None
        if attribute[1] == "filter":
            is_set = token[0] not in "-!"
            value = (attribute[2] or "") if is_set else ""
    return value


def _ignore_rule(line: str) -> IgnoreRule | None:
    if line.startswith("#"):
        return None
    glob = _without_trailing_spaces(line)
    negates = glob.startswith("!")
    glob = glob.removeprefix("!")
    only_folders = glob.endswith("/")
    glob = glob.removesuffix("/")
    if not glob:
        return None
    return IgnoreRule(Pattern.parse(glob), ignores=not negates, only_folders=only_folders)


def _without_trailing_spaces(line: str) -> str:
    """Drop spaces at the end, but keep those that a backslash protects."""
    body = re.match(r"(?:\\.|[^\\ ]| +(?=[^ ]))*", line, re.DOTALL)
    assert body is not None  # noqa: S101  it matches the empty text too
    return line if line[body.end() :].strip(" ") else body[0]
