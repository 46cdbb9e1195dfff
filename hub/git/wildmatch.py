"""Git's glob patterns for paths, as in gitignore(5) and gitattributes(5).

A pattern is matched segment by segment. Within a segment every ``*`` takes as little as it can and
never gives it back, which is right for globs and keeps hostile patterns linear.
"""

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": re.escape(string.punctuation),
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_STAR = "*"
_NEVER = r"(?!)"


# Git compares the literal beginning of a path pattern by itself and then takes ``**`` right after
# it for a segment of its own: ``/run**`` reaches into ``run-1/``, although ``/*un**`` does not.
_LITERAL_THEN_GLOBSTAR = re.compile(r"([^*?\[\\]*[^*?\[\\/])(?=\*\*+(?:/|\Z))")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One glob; ``None`` among its segments stands for ``**``, any number of folders."""

    segments: tuple[re.Pattern[str] | None, ...]
    is_anchored: bool
    prefix: str = ""

    @classmethod
    def parse(cls, glob: str) -> Self:
        """Read a glob without a slash at its end; a slash within it ties it to the root."""
        pieces = _split(glob)
        if len(pieces) == 1:
            return cls((_compile(pieces[0]),), is_anchored=False)
        body = glob.removeprefix("/")
        literal = _LITERAL_THEN_GLOBSTAR.match(body)
        prefix = literal[1] if literal else ""
        pieces = _split(body.removeprefix(prefix))
        segments = tuple(None if _is_globstar(piece) else _compile(piece) for piece in pieces)
        return cls(segments, is_anchored=True, prefix=prefix)

    def matches(self, path: str) -> bool:
        """Whether this very path matches; what lies in a matching folder does not."""
        if not self.is_anchored:
            segment = self.segments[0]
            return segment is not None and segment.fullmatch(path.rpartition("/")[2]) is not None
        if not path.startswith(self.prefix):
            return False
        return _match(self.segments, path.removeprefix(self.prefix).split("/"))


def _is_globstar(piece: tuple[str, ...]) -> bool:
    # Git takes three stars and more for two.
    return len(piece) > 1 and set(piece) == {_STAR}


def _match(segments: tuple[re.Pattern[str] | None, ...], names: list[str]) -> bool:
    """Follow all ways through the pattern at once; a state is how many segments are used up."""
    states = _past_globstars({0}, segments)
    for name in names:
        states = _past_globstars(_step(states, segments, name), segments)
        if not states:
            return False
    return len(segments) in states


def _step(states: set[int], segments: tuple[re.Pattern[str] | None, ...], name: str) -> set[int]:
    following: set[int] = set()
    for state in states:
        if state == len(segments):
            continue
        segment = segments[state]
        if segment is None:
            # A ``**`` at the end takes at least one name, one elsewhere may take none.
            following |= {state, state + 1} if state == len(segments) - 1 else {state}
        elif segment.fullmatch(name):
            following.add(state + 1)
    return following


def _past_globstars(states: set[int], segments: tuple[re.Pattern[str] | None, ...]) -> set[int]:
    reached = set(states)
    for state in range(len(segments) - 1):
        if state in reached and segments[state] is None:
            reached.add(state + 1)
    return reached


def _split(glob: str) -> list[tuple[str, ...]]:
    """Take a glob apart into segments of tokens: ``*``, or a regular expression for one."""
    segments: list[list[str]] = [[]]
    position = 0
    while position < len(glob):
        char = glob[position]
        if char == "/":
            segments.append([])
            position += 1
            continue
        token, position = _token(glob, position)
        segments[-1].append(token)
    return [tuple(segment) for segment in segments]


def _token(glob: str, position: int) -> tuple[str, int]:
    char = glob[position]
    if char == "*":
        return _STAR, position + 1
    if char == "?":
        return "[^/]", position + 1
    if char == "[":
        return _bracket(glob, position + 1)
    if char == "\\":
        escaped = glob[position + 1 : position + 2]
        return (re.escape(escaped) if escaped else _NEVER), position + 2
    return re.escape(char), position + 1


def _bracket(glob: str, position: int) -> tuple[str, int]:
    """Read a character class, just after its ``[``; an unclosed one never matches."""
    negated = glob[position : position + 1] in {"!", "^"}
    position += negated
    first = position
    parts: list[str] = []
    while position < len(glob) and (glob[position] != "]" or position == first):
        part, position = _member(glob, position)
        parts.append(part)
    if position >= len(glob):
        return _NEVER, len(glob)
    body = "".join(parts)
    if negated:
        return f"[^/{body}]", position + 1
    return (f"(?!/)[{body}]" if body else _NEVER), position + 1


def _member(glob: str, position: int) -> tuple[str, int]:
    named = re.compile(r"\[:([a-z]*):\]").match(glob, position)
    if named:
        return _POSIX.get(named[1], ""), named.end()
    low, position = _literal(glob, position)
    if glob[position : position + 1] == "-" and glob[position + 1 : position + 2] not in {"", "]"}:
        high, position = _literal(glob, position + 1)
        return (f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""), position
    return re.escape(low), position


def _literal(glob: str, position: int) -> tuple[str, int]:
    if glob[position] == "\\" and position + 1 < len(glob):
        position += 1
    return glob[position], position + 1


@lru_cache(maxsize=1024)
def _compile(tokens: tuple[str, ...]) -> re.Pattern[str]:
    """A regular expression for one segment; ``(?>…)`` never gives back what it took."""
    chunks: list[str] = [""]
    for token in tokens:
        if token == _STAR:
            chunks.append("")
        else:
            chunks[-1] += token
    first, *rest = chunks
    if not rest:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{chunk})" for chunk in rest[:-1] if chunk)
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)
