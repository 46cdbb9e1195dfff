"""Pictures, films and sounds that comments may show, and how files of each type begin.

The types are those that the public client knows; nothing in them runs in a browser.
"""

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
}
"""By type the end of names."""
_BEGINNINGS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "video/webm": (b"\x1a\x45\xdf\xa3",),
    "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"),
}
_RIFF = {"image/webp": b"WEBP", "audio/wav": b"WAVE"}
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def looks_like(media_type: str, head: bytes) -> bool:
    """Whether a file that begins with ``head`` can be of this type."""
    if kind := _RIFF.get(media_type):
        return head[:4] == b"RIFF" and head[8:12] == kind
    if media_type == "video/quicktime":
        return head[4:8] in _ATOMS
    if media_type == "video/mp4":
        return head[4:8] == b"ftyp"
    return head.startswith(_BEGINNINGS.get(media_type, ())) if head else False
