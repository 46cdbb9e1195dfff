"""Look at one file: find out what it is, then ask whoever knows about that.

This runs in a child process (``child.py``): what it reads was made by somebody to break it.
"""

from collections.abc import Callable
from io import BytesIO
from pathlib import PurePosixPath
from typing import BinaryIO

from hub.scanning import archives, weights
from hub.scanning.archives import Bomb, Budget, Member
from hub.scanning.pickles import SECOND_OPINION_BYTES, look_into, second_opinion
from hub.scanning.secrets import MOST_TEXT_BYTES, look_for_secrets
from hub.scanning.sniffing import HEAD_BYTES, Kind, has_zip_end, sniff
from hub.scanning.verdicts import SAFE, Status, Verdict, failure, trouble, worst

PICKLE_SUFFIXES = frozenset({".joblib", ".pck", ".pickle", ".pkl", ".pkl0"})
"""Names that promise a pickle, whatever the file begins with."""
_COMPRESSED = frozenset({Kind.GZIP, Kind.BZIP2, Kind.XZ, Kind.ZLIB})
_ARCHIVES = frozenset({Kind.ZIP, Kind.TAR})
_DEEPEST = 2
"""A compressed archive is one thing; archives within archives are not looked into."""
_MEMBER_TEXT_BYTES = 1024 * 1024
_MEMBER_KERAS_BYTES = 64 * 1024 * 1024


def scan(file: BinaryIO, size: int, name: str) -> Verdict:
    """Say what ``file``, which others call ``name``, would do to whoever loads it."""
    try:
        return _Scan(Budget()).look(file, size, name, depth=0)
    except (MemoryError, RecursionError):
        return failure("There is more in this file than anybody looks at.")


class _Scan:
    """Looks at one file and, within one budget, at what is in it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def look(self, file: BinaryIO, size: int, name: str, depth: int) -> Verdict:
        file.seek(0)
        kind = sniff(file.read(HEAD_BYTES), size)
        verdict = self._by_kind(kind)(file, size, name, depth)
        verdict = Verdict(kind.value).and_also(verdict)
        if kind not in _ARCHIVES and has_zip_end(file, size):
            inside = self._archive(file, Kind.ZIP, depth)
            verdict = verdict.and_also(inside)
        return verdict.and_also(self._by_name(file, size, kind, name))

    def _by_kind(self, kind: Kind) -> Callable[[BinaryIO, int, str, int], Verdict]:
        if kind in _ARCHIVES:
            return lambda file, _size, _name, depth: self._archive(file, kind, depth)
        if kind in _COMPRESSED:
            return lambda file, _size, name, depth: self._compressed(file, kind, name, depth)
        known: dict[Kind, Callable[[BinaryIO, int, str, int], Verdict]] = {
            Kind.PICKLE: lambda file, _size, _name, _depth: _pickle(file),
            Kind.NUMPY: lambda file, _size, _name, _depth: weights.look_at_numpy(file),
            Kind.SAFETENSORS: lambda file, size, _n, _d: weights.look_at_safetensors(file, size),
            Kind.GGUF: lambda file, size, _name, _depth: weights.look_at_gguf(file, size),
            Kind.HDF5: lambda file, _size, _name, _depth: weights.look_at_keras(file, "hdf5"),
            Kind.TEXT: _text,
            Kind.UNOPENED: lambda *_: failure("Nobody here opens archives of this kind."),
        }
        return known.get(kind, _unknown)

    def _archive(self, file: BinaryIO, kind: Kind, depth: int) -> Verdict:
        if depth >= _DEEPEST:
            return _nested()
        verdict = SAFE
        try:
            for member in archives.members(file, kind, self._budget):
                verdict = verdict.and_also(self._member(member).within(member.name))
        except Bomb:
            verdict = verdict.and_also(_bomb())
        except archives.BROKEN:
            verdict = verdict.and_also(failure("The archive is damaged, or none at all."))
        return verdict

    def _member(self, member: Member) -> Verdict:
        kind = sniff(member.head, member.size)
        name = member.name.lower()
        is_pickle = kind is Kind.PICKLE or _promises_pickle(name)
        if is_pickle or look_into(BytesIO(member.head), expected=False):
            return _pickle(BytesIO(member.read()))
        if kind in _ARCHIVES | _COMPRESSED | {Kind.UNOPENED}:
            return _nested()
        return self._harmless_member(member, kind, name)

    def _harmless_member(self, member: Member, kind: Kind, name: str) -> Verdict:
        if kind is Kind.NUMPY:
            return weights.look_at_numpy(BytesIO(member.read()))
        is_model = name.endswith(("config.json", ".h5"))
        if is_model and member.size <= _MEMBER_KERAS_BYTES:
            return weights.look_at_keras(BytesIO(member.read()), "")
        if kind is Kind.TEXT and member.size <= _MEMBER_TEXT_BYTES:
            return look_for_secrets(member.read())
        return SAFE

    def _compressed(self, file: BinaryIO, kind: Kind, name: str, depth: int) -> Verdict:
        if depth >= _DEEPEST:
            return _nested()
        file.seek(0)
        try:
            raw = archives.unpacked(file, kind, self._budget)
        except Bomb:
            return _bomb()
        except archives.BROKEN:
            # Two bytes make no stream of zlib: what looks like one may be anything.
            is_known = kind is not Kind.ZLIB or _promises_pickle(name.lower())
            return failure("The archive is damaged, or none at all.") if is_known else SAFE
        inner = PurePosixPath(name)
        inner_name = inner.name if inner.suffix in PICKLE_SUFFIXES else inner.stem
        return self.look(BytesIO(raw), len(raw), inner_name, depth + 1)

    def _by_name(self, file: BinaryIO, size: int, kind: Kind, name: str) -> Verdict:
        """What a name promises and the bytes do not keep."""
        suffix = PurePosixPath(name.lower()).suffix
        verdict = SAFE
        if suffix == ".safetensors" and kind is not Kind.SAFETENSORS:
            told = f"The name promises safetensors; the bytes are of another kind: {kind}."
            verdict = trouble("format", Status.SUSPICIOUS, told)
        elif suffix in PICKLE_SUFFIXES and kind in {Kind.TEXT, Kind.BINARY}:
            file.seek(0)
            verdict = _pickle(file) if size else SAFE
        elif suffix == ".onnx":
            verdict = weights.look_at_onnx(file)
        elif suffix == ".pb":
            verdict = weights.look_at_graph(file)
        elif suffix in {".h5", ".keras", ".hdf5"} and kind is not Kind.HDF5:
            verdict = weights.look_at_keras(file, "")
        return verdict


def _promises_pickle(name: str) -> bool:
    return PurePosixPath(name).suffix in PICKLE_SUFFIXES


def _pickle(file: BinaryIO) -> Verdict:
    file.seek(0)
    verdict = look_into(file, expected=True) or SAFE
    if worst([verdict.status]) is not Status.UNSAFE:
        file.seek(0)
        verdict = verdict.and_also(second_opinion(file.read(SECOND_OPINION_BYTES + 1)))
    return verdict


def _text(file: BinaryIO, size: int, name: str, _depth: int) -> Verdict:
    file.seek(0)
    verdict = look_into(file, expected=False) or SAFE
    file.seek(0)
    raw = file.read(min(size, MOST_TEXT_BYTES))
    verdict = verdict.and_also(look_for_secrets(raw))
    if name.endswith((".jinja", ".jinja2")) or b"chat_template" in raw:
        verdict = verdict.and_also(weights.look_at_template(raw.decode(errors="replace")))
    if name.endswith(".json"):
        verdict = verdict.and_also(weights.look_at_keras(BytesIO(raw), ""))
    return verdict


def _unknown(file: BinaryIO, _size: int, _name: str, _depth: int) -> Verdict:
    file.seek(0)
    return look_into(file, expected=False) or SAFE


def _nested() -> Verdict:
    told = "An archive within an archive: nobody looked into it."
    return trouble("archive", Status.CAUTION, told)


def _bomb() -> Verdict:
    told = "It unpacks to more than anybody looks at."
    return trouble("archive", Status.SUSPICIOUS, told)
