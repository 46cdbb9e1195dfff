"""What a file is by its bytes. Names are claims: they add suspicion and never take any away."""

import re
from enum import StrEnum
from typing import BinaryIO

HEAD_BYTES = 4096
_TAIL_BYTES = 66_000
"""The end of a zip is at most a comment of 64 KiB away from the end of the file."""
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22


class Kind(StrEnum):
    """What scanners tell apart."""

    PICKLE = "pickle"
    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZLIB = "zlib"
    UNOPENED = "archive"
    """An archive that nobody here opens."""
    NUMPY = "numpy"
    SAFETENSORS = "safetensors"
    GGUF = "gguf"
    HDF5 = "hdf5"
    TEXT = "text"
    BINARY = "binary"


_MAGIC = (
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"\x1f\x8b\x08", Kind.GZIP),
    (b"BZh", Kind.BZIP2),
    (b"\xfd7zXZ\x00", Kind.XZ),
    (b"\x5d\x00\x00\x80\x00", Kind.XZ),
    (b"7z\xbc\xaf\x27\x1c", Kind.UNOPENED),
    (b"Rar!\x1a\x07", Kind.UNOPENED),
    (b"\x28\xb5\x2f\xfd", Kind.UNOPENED),
    (b"\x04\x22\x4d\x18", Kind.UNOPENED),
    (b"\x93NUMPY", Kind.NUMPY),
    (b"GGUF", Kind.GGUF),
    (b"\x89HDF\r\n\x1a\n", Kind.HDF5),
)
_TAR_MAGIC = slice(257, 262)
_PICKLE = re.compile(rb"\x80[\x01-\x05]")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_SAFETENSORS = re.compile(rb".{8}\{", re.DOTALL)
_MOST_HEADER_BYTES = 100_000_000


def sniff(head: bytes, size: int) -> Kind:
    """Say what a file of ``size`` bytes is that begins with ``head``."""
    known = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if known is not None:
        return known
    tests = (
        (Kind.TAR, head[_TAR_MAGIC] == b"ustar"),
        (Kind.PICKLE, _PICKLE.match(head)),
        (Kind.SAFETENSORS, _is_safetensors(head, size)),
        (Kind.TEXT, is_text(head)),
        (Kind.ZLIB, _ZLIB.match(head)),
    )
    return next((kind for kind, is_so in tests if is_so), Kind.BINARY)


def _is_safetensors(head: bytes, size: int) -> bool:
    header_bytes = int.from_bytes(head[:8], "little")
    return bool(_SAFETENSORS.match(head)) and header_bytes <= min(size, _MOST_HEADER_BYTES)


def is_text(head: bytes) -> bool:
    """Whether these may be the first bytes of a text; a letter cut in two at their end may be."""
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as fault:
        return fault.start >= len(head) - 3 and len(head) >= HEAD_BYTES
    return True


def has_zip_end(file: BinaryIO, size: int) -> bool:
    """Whether something that opens zips would find one here, whatever stands before it."""
    file.seek(max(size - _TAIL_BYTES, 0))
    tail = file.read(_TAIL_BYTES)
    at = tail.rfind(_ZIP_END)
    return 0 <= at <= len(tail) - _ZIP_END_BYTES
