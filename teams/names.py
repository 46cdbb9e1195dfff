"""Names that users and organisations may have; numbers of rows as the outside writes them."""

import re
import unicodedata

from teams.errors import Invalid

_WORDS = """
    accounts api assets blog buckets cas collections datasets docs events healthz inference jobs
    join kernels login logout models new notifications oauth organizations orgs papers pricing
    readyz scim search settings spaces startupz static status storage tasks uploads users v1 v2
    weighhouse xet xorb xorbs shard shards chunk chunks reconstruction reconstructions robots.txt
    favicon.ico
"""
RESERVED = frozenset(_WORDS.split())
"""First segments of our own URLs, in lower case: nobody may be called so."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?", re.ASCII)


def check_name(name: str) -> str:
    """Answer ``name`` if a user or organisation may be called so.

    The rules are those of the public client's own check of repo ids, so that a name that we accept
    is never one that a client refuses.

    Raises:
        Invalid: it is not.
    """
    if not _NAME.fullmatch(name) or "--" in name or ".." in name:
        raise Invalid(
            f"{name!r} is not a valid name: use 1 to 96 letters, digits, '-', '_' and '.', "
            "starting and ending with a letter or digit, without '--' and '..'."
        )
    if name.endswith(".git") or name.lower() in RESERVED:
        raise Invalid(f"The name {name!r} is reserved.")
    return name


KINDS = ("model", "dataset", "space")
"""What a grant may be narrowed to: the kinds of repos."""

# Characters that no line of ours shows: control, turning text around, unassigned, half a pair.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def one_line(text: str, what: str, *, most: int) -> str:
    """Answer ``text`` with its spaces tidied, if it is one line that people can read.

    Raises:
        Invalid: it is empty, longer than ``most`` characters, or holds what nobody can see.
    """
    line = " ".join(text.split())
    if not line or len(line) > most:
        raise Invalid(f"{what} must have 1 to {most} characters.")
    if any(unicodedata.category(character) in _UNSHOWN for character in line):
        raise Invalid(f"{what} holds characters that cannot be shown.")
    return line


ID_DIGITS = 24
_BIGGEST = 2**63 - 1
_MAX_DIGITS = 18


def public_id(number: int) -> str:
    """Write the number of a row as 24 hex digits, the shape in which clients expect ids."""
    return f"{number:0{ID_DIGITS}x}"


def number_in_id(text: str) -> int:
    """Read what :func:`public_id` wrote; 0, which no row has, if it is something else."""
    is_id = len(text) == ID_DIGITS and text.isascii() and text.isalnum()
    try:
        number = int(text, 16) if is_id else 0
    except ValueError:
        return 0
    return number if number <= _BIGGEST else 0


def number_in(text: str, what: str) -> int:
    """Read the number of a row in decimal; ``what`` says of what, for who sent something else.

    Raises:
        Invalid: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise Invalid(f"{what} must be a number of ours.")
    return int(text)
