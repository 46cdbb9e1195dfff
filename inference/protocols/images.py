"""Pictures as they come from anybody: bounded, whole, of a known format, standing still."""

import base64
import binascii
import io
import struct
import threading
import warnings
import zlib
from typing import Any

from PIL import ExifTags, Image

from inference.errors import InputRejected

MAX_BYTES = 16 * 2**20
MAX_PIXELS = 24 * 10**6
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_DECODING = threading.BoundedSemaphore(2)
"""At the largest a picture takes a hundred megabytes: not as many at a time as web has threads."""
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow raises of files that are not what they say."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By what EXIF says of the camera."""


def image_of(given: Any, what: str) -> bytes:
    """Answer the bytes of a picture that came as bytes, as base64, or as a ``data:`` URL.

    Raises:
        InputRejected: it is none of these. No URL of anybody is ever fetched.
    """
    if isinstance(given, bytes):
        return given
    if not isinstance(given, str):
        raise InputRejected(f"{what} must be a picture, as base64.")
    if given.startswith(("http://", "https://")):
        raise InputRejected(f"{what} must be sent itself; this hub fetches no URLs.")
    head, _, body = given.rpartition(",")
    if head and not (head.startswith("data:image/") and head.endswith(";base64")):
        raise InputRejected(f"{what} must be a picture, as base64 or data:image/…;base64,….")
    if len(body) > MAX_BYTES * 4 // 3 + 4:
        raise InputRejected(f"{what} has more than {MAX_BYTES // 2**20} MiB.")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise InputRejected(f"{what} is not valid base64.") from None


def checked_image(raw: bytes, what: str) -> bytes:
    """Answer ``raw`` if it is a picture that can be read to its end.

    Raises:
        InputRejected: it is too large, broken, animated, or of another format.
    """
    if len(raw) > MAX_BYTES:
        raise InputRejected(f"{what} has more than {MAX_BYTES // 2**20} MiB.")
    with _DECODING:
        _loaded(raw, what)
    return raw


def opened_image(raw: bytes, what: str = "image") -> Image.Image:
    """Decode a picture: upright, in RGB, on white where one can see through.

    Raises:
        InputRejected: as :func:`checked_image`.
    """
    return _flat(_upright(_loaded(raw, what)))


def _loaded(raw: bytes, what: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(raw), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise InputRejected(f"{what} has more than {MAX_PIXELS // 10**6} million pixels.")
            # How many frames there are is counted one by one, and may be a million.
            if getattr(image, "is_animated", False):
                raise InputRejected(f"{what} is animated; send one picture.")
            image.load()
    except _BROKEN as problem:
        raise InputRejected(f"{what} cannot be read as a picture: {problem}") from None
    except Image.DecompressionBombWarning:
        raise InputRejected(f"{what} has too many pixels.") from None
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its camera was held. A camera that wrote nonsense was held upright."""
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _BROKEN:
        return image
    return image if turn is None else image.transpose(turn)


def _flat(image: Image.Image) -> Image.Image:
    """On white where one can see through."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
