"""The hashes of the Xet protocol: keyed BLAKE3 over chunks, and a tree of them (Xet spec 1.1)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from struct import Struct

from blake3 import blake3

from teams.errors import Invalid

HASH_BYTES = 32

CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
FILE_KEY = bytes(HASH_BYTES)
RANGE_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")

NO_CHUNKS = bytes(HASH_BYTES)
"""The hash of nothing: an empty file's, and the root of a tree without nodes."""

Node = tuple[bytes, int]
"""A hash and the number of raw bytes below it."""

_MIN_GROUP = 3
_MAX_GROUP = 9

_TEXT = re.compile(r"[0-9a-f]{64}")
_LITTLE_WORDS = Struct("<4Q")
_BIG_WORDS = Struct(">4Q")
_LAST_WORD = 24


def chunk_hash(data: bytes | memoryview) -> bytes:
    return blake3(data, key=CHUNK_KEY).digest()


def xorb_hash(chunks: Iterable[Node]) -> bytes:
    """The root of the tree over a xorb's chunks."""
    return _root(chunks)


def file_hash(chunks: Iterable[Node]) -> bytes:
    """The id of a file: it depends on its chunks alone, and on no xorb that holds them."""
    root = _root(chunks)
    return NO_CHUNKS if root == NO_CHUNKS else blake3(root, key=FILE_KEY).digest()


def range_hash(hashes: bytes | memoryview | Sequence[bytes]) -> bytes:
    """Shows that whoever made it knows these chunk hashes, given as a list or joined."""
    joined = hashes if isinstance(hashes, bytes | memoryview) else b"".join(hashes)
    return blake3(joined, key=RANGE_KEY).digest()


def keyed_chunk_hash(key: bytes, chunk: bytes) -> bytes:
    """A chunk hash as dedup answers show it: of use only to somebody who knows the chunk."""
    return blake3(chunk, key=key).digest()


def to_text(raw: bytes) -> str:
    """A hash as URLs and JSON write it: four little-endian words, each in hexadecimal."""
    return swap_words(raw).hex()


def from_text(text: str) -> bytes:
    """Read a hash as URLs and JSON write it.

    Raises:
        Invalid: it is not 64 lowercase hexadecimal digits.
    """
    if not _TEXT.fullmatch(text):
        raise Invalid("A Xet hash is 64 lowercase hexadecimal digits.")
    return swap_words(bytes.fromhex(text))


def swap_words(raw: bytes) -> bytes:
    """Reverse each group of eight bytes: shards keep a sha256 so, as if it were a Xet hash."""
    return _BIG_WORDS.pack(*_LITTLE_WORDS.unpack(raw))


def _root(nodes: Iterable[Node]) -> bytes:
    # The lowest level is read as it comes: a file of 100 GB has more than a million chunks.
    rest = iter(nodes)
    first = list(islice(rest, 2))
    if len(first) < 2:  # noqa: PLR2004  a single node is its own root
        return first[0][0] if first else NO_CHUNKS
    level = list(_parents(chain(first, rest)))
    while len(level) > 1:
        level = list(_parents(level))
    return level[0][0]


def _parents(nodes: Iterable[Node]) -> Iterator[Node]:
    """Group nodes: from the third on, one whose last word divides by four closes its group."""
    lines: list[str] = []
    size = 0
    for raw, length in nodes:
        lines.append(f"{to_text(raw)} : {length}\n")
        size += length
        if len(lines) == _MAX_GROUP or (len(lines) >= _MIN_GROUP and raw[_LAST_WORD] % 4 == 0):
            yield _parent(lines), size
            lines, size = [], 0
    if lines:
        yield _parent(lines), size


def _parent(lines: list[str]) -> bytes:
    return blake3("".join(lines).encode(), key=NODE_KEY).digest()
