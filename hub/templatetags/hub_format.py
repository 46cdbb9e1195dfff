"""Formatting for templates: sizes, numbers, times and short hashes as people read them."""

import re
from datetime import datetime
from zlib import crc32

from django import template
from django.utils import timezone

register = template.Library()

SHORT_SHA = 7
AVATAR_HUES = 4
DAYS_IN_WORDS = 30
"""Beyond so many days the date itself says more; ``relative-time.js`` draws the same line."""

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_COUNTS = ("", "k", "M", "B", "T")
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))

_COMMIT = re.compile(r"[0-9a-f]{40}")


@register.filter
def filesize(size: float | None) -> str:
    """Say a number of bytes in decimal units: ``1.2 GB``."""
    return "" if size is None else _scaled(size, _SIZES, " ")


@register.filter
def compact(number: float | None) -> str:
    """Say a count in three digits or so: ``1.2k``, ``7.24B``. Beside it belongs ``exact``."""
    return "" if number is None else _scaled(number, _COUNTS, "")


@register.filter
def exact(number: int | None) -> str:
    """Say every digit: ``1,234,567``."""
    return "" if number is None else f"{number:,}"


@register.filter
def share(part: float, whole: float) -> str:
    """Say a part of a whole in per cent, without the sign: ``12.5``."""
    return f"{100 * part / whole:.4g}" if whole else "0"


@register.filter
def short_sha(sha: str | None) -> str:
    """Cut a hash to the length that people compare."""
    return (sha or "")[:SHORT_SHA]


@register.filter
def revision_label(revision: str) -> str:
    """Say a branch or tag by its name, a commit by its short hash."""
    return short_sha(revision) if _COMMIT.fullmatch(revision) else revision


@register.filter
def namespace(full_name: str) -> str:
    """Answer ``acme`` of ``acme/llama``."""
    return full_name.partition("/")[0]


@register.filter
def repo_name(full_name: str) -> str:
    """Answer ``llama`` of ``acme/llama``."""
    return full_name.partition("/")[2]


@register.filter
def message_body(message: str) -> str:
    """Answer a commit message without its first line, which pages show as the title."""
    return message.partition("\n")[2].strip("\n")


@register.filter
def ago(then: datetime | None) -> str:
    """Say how long ago: ``3 days ago``, and the date when that is long past."""
    if then is None:
        return ""
    passed = (timezone.now() - then).total_seconds()
    if passed >= DAYS_IN_WORDS * 86_400:
        return f"{then.day} {then:%b %Y}"
    for unit, seconds in _UNITS:
        if passed >= seconds:
            number = int(passed // seconds)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


@register.filter
def hue(name: str) -> int:
    """Choose the colour of an avatar: the same for the same name, always."""
    return crc32(name.encode()) % AVATAR_HUES


def _scaled(number: float, units: tuple[str, ...], gap: str) -> str:
    """Divide by thousands until three significant digits say it."""
    for unit in units[:-1]:
        if abs(number) < 999.5:  # noqa: PLR2004  (what would round to 1000 is one of the next unit)
            return f"{_three_digits(number)}{gap}{unit}" if unit else _three_digits(number)
        number /= 1000
    return f"{_three_digits(number)}{gap}{units[-1]}"


def _three_digits(number: float) -> str:
    return f"{number:.3g}"
