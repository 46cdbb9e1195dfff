"""How requests name the verdict on a file, and a place in a list of them."""

from hub.errors import EntryNotFound
from teams.errors import Invalid

LAST = (1 << 63) - 1
_KEY_BYTES = frozenset({20, 32})
_MOST_DIGITS = 19


def key_in(text: str) -> bytes:
    """Read the key of a verdict.

    Raises:
        EntryNotFound: no file can be known by that.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) not in _KEY_BYTES:
        raise EntryNotFound("No file of this repo is known by that.")
    return key


def before_in(text: str) -> int:
    """Read the place from which a list goes on; no text is its beginning.

    Raises:
        Invalid: it is no place.
    """
    if not text:
        return LAST
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Invalid('"before" is the number that a page gave.')
    return min(int(text), LAST)
