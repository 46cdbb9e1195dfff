"""Split README text into metadata and body, as YAML 1.2 between two ``---`` lines."""

import math
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 64 * 1024
MAX_DEPTH = 10
MAX_ALIASES = 20
MAX_VALUES = 20_000
"""How many values the metadata may hold once its aliases are written out."""
MAX_EXPANDED_CHARS = 4 * MAX_BYTES

_OPENING = re.compile(r"\ufeff?\s*---[ \t]*(?:\r\n|\r|\n)")
# It begins with the line break before it, so that the opening line's own one serves an empty block.
_CLOSING = re.compile(r"(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|\Z)")

_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({None, "!", f"{_CORE}str", f"{_CORE}seq", f"{_CORE}map"})


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A README taken apart; ``errors`` says why ``metadata`` is empty although there is some."""

    metadata: dict[str, object] = field(default_factory=dict)
    body: str = ""
    errors: tuple[str, ...] = ()
    present: bool = False


def split(text: str) -> FrontMatter:
    """Take a README apart. Anything wrong is told in ``errors``; nothing is raised."""
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end() - 1) if opening else None
    if not opening or not closing:
        return FrontMatter(body=text.removeprefix("\ufeff"))
    block = text[opening.end() : max(opening.end(), closing.start())]
    body = text[closing.end() :]
    try:
        return FrontMatter(_parse(block), body, present=True)
    except (_Refused, yaml.YAMLError, ValueError) as error:
        return FrontMatter({}, body, (_in_one_line(error),), present=True)


class _Refused(Exception):
    """The YAML is valid, but no card needs such."""


def _parse(block: str) -> dict[str, object]:
    if len(block.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _Refused(f"the metadata is larger than {MAX_BYTES // 1024} KiB")
    _check_events(block)
    loaded = yaml.load(block, Loader=_CardLoader)  # noqa: S506  it constructs plain values only
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise _Refused("the metadata must be a mapping of keys to values")
    plain = _Plain().value(loaded, depth=1)
    assert isinstance(plain, dict)  # noqa: S101  a mapping stays one
    return plain


def _in_one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem:
        mark = error.problem_mark
        # One line for the opening ``---``, one because marks count from nought.
        where = f" (line {mark.line + 2}, column {mark.column + 1})" if mark else ""
        return f"Invalid YAML: {error.problem}{where}"
    return "Invalid YAML: " + " ".join(str(error).split())


class _CardLoader(yaml.CSafeLoader):
    """Plain values only, told apart as YAML 1.2 does.

    So ``no`` is Norwegian, a date is text, and there are no merge keys.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        # Keys stay as written: as values, ``1`` and ``true`` would be one and the same key.
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


_CardLoader.add_implicit_resolver(
    f"{_CORE}null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_CardLoader.add_implicit_resolver(
    f"{_CORE}bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
# Longer numbers, octal ones, infinities and "not a number" have no equal in JSON: they stay text.
_CardLoader.add_implicit_resolver(
    f"{_CORE}int", re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z"), list("-+0123456789")
)
_CardLoader.add_implicit_resolver(
    f"{_CORE}float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)\Z"),
    list("-+.0123456789"),
)


def _check_events(block: str) -> None:
    """Refuse by the stream of events, before anything is built from it."""
    aliases = 0
    open_collections: list[_Mapping | None] = []
    for event in yaml.parse(block, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > MAX_ALIASES:
                raise _Refused(f"the metadata has more than {MAX_ALIASES} aliases")
        tag = getattr(event, "tag", None)
        if tag not in _PLAIN_TAGS:
            raise _Refused(f"the tag {tag} is not allowed in metadata")
        _follow(event, open_collections)


class _Mapping:
    """An open mapping: its keys so far, and whether the next event is a key."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.expects_key = True


def _follow(event: yaml.Event, open_collections: list[_Mapping | None]) -> None:
    if isinstance(event, yaml.CollectionEndEvent):
        open_collections.pop()
        return
    if not isinstance(event, yaml.NodeEvent):
        return
    around = open_collections[-1] if open_collections else None
    if around is not None:
        if around.expects_key:
            _take_key(event, around)
        around.expects_key = not around.expects_key
    if isinstance(event, yaml.CollectionStartEvent):
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        open_collections.append(_Mapping() if is_mapping else None)
        if len(open_collections) > MAX_DEPTH:
            raise _Refused(f"the metadata is nested deeper than {MAX_DEPTH} levels")


def _take_key(event: yaml.NodeEvent, mapping: _Mapping) -> None:
    if not isinstance(event, yaml.ScalarEvent):
        raise _Refused("a key in the metadata is not text")
    if event.value in mapping.keys:
        raise _Refused(f"duplicated mapping key {event.value!r}")
    mapping.keys.add(event.value)


class _Plain:
    """Writes aliases out into plain JSON values, and stops when they grow too many.

    Few aliases in a small text can stand for millions of values, or for themselves.
    """

    def __init__(self) -> None:
        self.values = 0
        self.chars = 0

    def value(self, value: object, *, depth: int) -> object:
        self.values += 1
        if depth > MAX_DEPTH + 1 or self.values > MAX_VALUES:
            raise _Refused("the metadata grows too large when its aliases are written out")
        if isinstance(value, dict):
            return {self.text(k): self.value(v, depth=depth + 1) for k, v in value.items()}
        if isinstance(value, list):
            return [self.value(item, depth=depth + 1) for item in value]
        if isinstance(value, str):
            return self.text(value)
        return value if not isinstance(value, float) or math.isfinite(value) else str(value)

    def text(self, text: str) -> str:
        self.chars += len(text)
        if self.chars > MAX_EXPANDED_CHARS:
            raise _Refused("the metadata grows too large when its aliases are written out")
        # PostgreSQL keeps every character in text and jsonb but this one.
        return text.replace("\0", "\ufffd")
