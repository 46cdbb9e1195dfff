"""What kind of picture or sound some bytes are: by their first bytes, never by their name."""

import struct
from dataclasses import dataclass

HEAD_BYTES = 256 * 1024
"""So far a JPEG's size is looked for."""


@dataclass(frozen=True, slots=True)
class Medium:
    """A kind of file that browsers show, and in which nothing runs."""

    suffix: str
    media_type: str


_BY_HEAD = (
    (b"\x89PNG\r\n\x1a\n", Medium("png", "image/png")),
    (b"\xff\xd8\xff", Medium("jpg", "image/jpeg")),
    (b"GIF87a", Medium("gif", "image/gif")),
    (b"GIF89a", Medium("gif", "image/gif")),
    (b"BM", Medium("bmp", "image/bmp")),
    (b"fLaC", Medium("flac", "audio/flac")),
    (b"OggS", Medium("ogg", "audio/ogg")),
    (b"ID3", Medium("mp3", "audio/mpeg")),
    (b"\x1aE\xdf\xa3", Medium("webm", "video/webm")),
    (b"%PDF-", Medium("pdf", "application/pdf")),
)
_IN_RIFF = {b"WEBP": Medium("webp", "image/webp"), b"WAVE": Medium("wav", "audio/wav")}
_MARK = 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG's frame; those in between are of tables."""
_ALONE = frozenset(range(0xD0, 0xD9))
"""Markers without a length."""
_MP3_SYNC = frozenset({b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"})
UNKNOWN = Medium("bin", "application/octet-stream")


def medium_of(head: bytes) -> Medium:
    """What these bytes are, judging by their beginning."""
    if head[:4] == b"RIFF":
        return _IN_RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        if head[8:12] in {b"avif", b"avis"}:
            return Medium("avif", "image/avif")
        is_audio = head[8:11] == b"M4A"
        return Medium("m4a", "audio/mp4") if is_audio else Medium("mp4", "video/mp4")
    if head[:2] in _MP3_SYNC:
        return Medium("mp3", "audio/mpeg")
    return next((medium for magic, medium in _BY_HEAD if head.startswith(magic)), UNKNOWN)


def size_of_image(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, or None where the beginning does not tell."""
    try:
        return _size(head, medium_of(head).suffix)
    except (struct.error, IndexError):
        return None


def _size(head: bytes, suffix: str) -> tuple[int, int] | None:
    match suffix:
        case "png":
            width, height = struct.unpack_from(">II", head, 16)
        case "gif":
            width, height = struct.unpack_from("<HH", head, 6)
        case "bmp":
            width, height = struct.unpack_from("<ii", head, 18)
        case "jpg":
            return _size_of_jpeg(head)
        case "webp":
            return _size_of_webp(head)
        case _:
            return None
    return width, abs(height)


def _size_of_jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head):
        if head[at] != _MARK:
            return None
        marker = head[at + 1]
        if marker == _MARK:
            at += 1
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", head, at + 2)[0]
    return None


def _size_of_webp(head: bytes) -> tuple[int, int] | None:
    match head[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            bits = struct.unpack_from("<I", head, 21)[0]
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        case b"VP8X":
            width = int.from_bytes(head[24:27], "little") + 1
            return width, int.from_bytes(head[27:30], "little") + 1
        case _:
            return None
