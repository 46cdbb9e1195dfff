"""Make packs by hand, as no honest git would."""

import hashlib
import zlib
from collections.abc import Iterable
from io import BytesIO

from hub.git.deltas import tree_delta
from hub.git.objects import Kind, hash_object

OFS, REF = 6, 7


def header(number: int, size: int) -> bytes:
    byte, size = number << 4 | size & 15, size >> 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes([*out, byte])


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def whole(kind: Kind, raw: bytes, *, size: int | None = None) -> bytes:
    return header(kind, len(raw) if size is None else size) + zlib.compress(raw)


def ref_delta(base: bytes, delta: bytes) -> bytes:
    return header(REF, len(delta)) + base + zlib.compress(delta)


def ofs_delta(distance: int, delta: bytes) -> bytes:
    encoded = bytearray([distance & 0x7F])
    while distance := distance >> 7:
        distance -= 1
        encoded.insert(0, distance & 0x7F | 0x80)
    return header(OFS, len(delta)) + bytes(encoded) + zlib.compress(delta)


def pack(entries: Iterable[bytes], *, count: int | None = None) -> bytes:
    entries = list(entries)
    body = b"PACK" + (2).to_bytes(4, "big")
    body += (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries)
    return sealed(body)


def sealed(body: bytes) -> bytes:
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def source(data: bytes) -> BytesIO:
    return BytesIO(data)


def delta(base: bytes, new: bytes) -> bytes:
    return tree_delta(base, new)


def blob(raw: bytes) -> bytes:
    return hash_object(Kind.BLOB, raw)
