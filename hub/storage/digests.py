"""Digests of bytes, and the keys under which a store keeps what they name."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Final

CHUNK_BYTES: Final = 1 << 20
"""How much is read, hashed and written at a time: hashlib releases the interpreter meanwhile."""

_SHA256_BYTES: Final = 32
_XET_TEXT: Final = re.compile(r"[0-9a-f]{64}")
# Lower case only, so that no two names meet on a file system that folds case; no part starts with
# a dot, so that none climbs out of its folder or hides in it.
_NAME: Final = re.compile(r"[0-9a-z][0-9a-z._-]*(/[0-9a-z][0-9a-z._-]*)*")
_NAME_LENGTH: Final = 200
STAGING: Final = "staging"
"""The folder of what has no key yet."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What identifies a run of bytes: its sha256 and its size."""

    sha256: bytes
    size: int

    @property
    def hex(self) -> str:
        return self.sha256.hex()


class Tally:
    """Hashes and counts bytes as they pass."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0

    def add(self, chunk: bytes | memoryview) -> None:
        self._hash.update(chunk)
        self._size += len(chunk)

    def digest(self) -> Digest:
        return Digest(self._hash.digest(), self._size)


class Count(Tally):
    """Only counts, for a caller that hashes the bytes in its own way."""

    def add(self, chunk: bytes | memoryview) -> None:
        self._size += len(chunk)

    def digest(self) -> Digest:
        return Digest(b"", self._size)


def digest_of(chunks: Iterable[bytes]) -> Digest:
    tally = Tally()
    for chunk in chunks:
        tally.add(chunk)
    return tally.digest()


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file, in chunks that suit hashing and writing."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def lfs_key(sha256: bytes) -> str:
    """Where a large file lies that came as one blob."""
    text = _sha256_text(sha256)
    return f"lfs/{text[:2]}/{text[2:4]}/{text}"


def xorb_key(text: str) -> str:
    """Where the chunks of a xorb lie; ``text`` is its hash in Xet's text form."""
    if not _XET_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is not the text form of a Xet hash")
    return f"xet/xorbs/{text[:2]}/{text[2:4]}/{text}"


def xorb_index_key(text: str) -> str:
    """Where the chunk hashes and lengths of a xorb lie."""
    return f"{xorb_key(text)}.idx"


def shard_key(day: date, sha256: bytes) -> str:
    """Where the body of a shard lies that was accepted on that day."""
    return f"xet/shards/{day:%Y%m%d}/{_sha256_text(sha256)}.mdb"


def is_name(name: str) -> bool:
    """Whether staged bytes may be called so."""
    return len(name) <= _NAME_LENGTH and _NAME.fullmatch(name) is not None


def is_key(key: str) -> bool:
    """Whether bytes may lie there for good: anywhere but in the staging area."""
    return is_name(key) and key.partition("/")[0] != STAGING


def checked_name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"{name!r} is not a name for staged bytes")
    return name


def checked_key(key: str) -> str:
    if not is_key(key):
        raise ValueError(f"{key!r} is not a key")
    return key


def checked_prefix(prefix: str) -> str:
    """The start of keys: nothing, or whole parts and perhaps the beginning of one more."""
    if prefix:
        checked_key(prefix.removesuffix("/"))
    return prefix


def _sha256_text(sha256: bytes) -> str:
    if len(sha256) != _SHA256_BYTES:
        raise ValueError(f"A sha256 has {_SHA256_BYTES} bytes, not {len(sha256)}")
    return sha256.hex()
