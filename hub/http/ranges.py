"""The Range header (RFC 9110, section 14): what a caller asks for, as slices of a file."""

import re

from teams.errors import Unsatisfiable

_UNIT = "bytes="
_SPEC = re.compile(r"\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)
MAX_RANGES = 1024

Span = tuple[int, int]
"""First byte, and the one after the last."""


def parse_ranges(header: str, size: int) -> list[Span] | None:
    """Answer the spans that ``header`` names, cut at ``size``; None for a header to be ignored.

    Raises:
        Unsatisfiable: it is well-formed, and no byte of the file is in it.
    """
    if not header.startswith(_UNIT):
        return None
    specs = header[len(_UNIT) :].split(",")
    matches = [_SPEC.fullmatch(spec) for spec in specs[:MAX_RANGES]]
    bounds = [(match[1], match[2]) for match in matches if match]
    if len(bounds) != len(specs) or any(_is_senseless(*both) for both in bounds):
        return None
    spans = [span for first, last in bounds if (span := _span(first, last, size))]
    if not spans:
        raise Unsatisfiable("No byte of the file is in that range.", size=size)
    return spans


def _is_senseless(first: str, last: str) -> bool:
    return not (first or last) or bool(first and last and int(first) > int(last))


def _span(first: str, last: str, size: int) -> Span | None:
    if not first:
        span = (max(size - int(last), 0), size)
    else:
        span = (int(first), min(int(last) + 1, size) if last else size)
    return span if span[0] < span[1] else None
