"""A list's query string as a RepoFilter; what a list does not know is refused, never ignored."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from django.http import HttpRequest, QueryDict

from hub.cards.apps import APPS
from hub.names import RepoKind
from hub.queries.repo_filter import RepoFilter, Sort, quoted
from teams.errors import Invalid

MAX_VALUE = 500
"""Characters of one value: longer ones name nothing that exists."""
MAX_VALUES = 100
"""Values of one list request, all parameters together."""
SORTS = tuple(sort for sort in Sort if sort is not Sort.RELEVANCE)

_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMBT]?)", re.IGNORECASE)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

Reader = Callable[[RepoFilter, list[str]], RepoFilter]


def filter_of(
    request: HttpRequest,
    kind: RepoKind,
    *,
    beside: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> RepoFilter:
    """Read what is looked for.

    ``beside`` names parameters that somebody else reads; ``only`` narrows down what is read here.

    Raises:
        Invalid: a parameter is unknown, given twice where once is meant, or has a bad value.
    """
    query = request.GET
    readers = {name: read for name, read in _READERS[kind].items() if only is None or name in only}
    _check_names(query, kind, frozenset(readers) | beside)
    asked = RepoFilter(kind=kind)
    for name in query:
        values = [value for value in query.getlist(name) if value]
        if name in readers and values:
            asked = readers[name](asked, values)
    return asked


def _check_names(query: QueryDict, kind: RepoKind, known: frozenset[str]) -> None:
    values = [value for _name, given in query.lists() for value in given]
    if len(values) > MAX_VALUES:
        raise Invalid(f"More than {MAX_VALUES} parameters are too many.")
    if any(len(value) > MAX_VALUE or "\0" in value for value in values):
        raise Invalid(f"A parameter is longer than {MAX_VALUE} characters, or holds a NUL.")
    for name in query:
        if name not in known:
            raise Invalid(
                f'A list of {kind.plural} has no parameter "{name}": '
                f"expected one of {quoted(sorted(known))}."
            )


def boolean(name: str, values: list[str]) -> bool:
    """Read a boolean; old clients write ``True``, new ones ``true``.

    Raises:
        Invalid: it is neither true nor false.
    """
    text = _one(name, values).lower()
    if text not in _BOOLEANS:
        raise Invalid(f"{name} must be true or false.")
    return _BOOLEANS[text]


def _one(name: str, values: list[str]) -> str:
    if len(values) > 1:
        raise Invalid(f"{name} may be given once only.")
    return values[0]


def _all(field: str) -> Reader:
    return lambda asked, values: replace(asked, **{field: tuple(values)})  # type: ignore[arg-type]


def _single(field: str) -> Reader:
    return lambda asked, values: replace(asked, **{field: _one(field, values)})  # type: ignore[arg-type]


def _flag(field: str) -> Reader:
    return lambda asked, values: replace(asked, **{field: boolean(field, values)})  # type: ignore[arg-type]


def _sort(asked: RepoFilter, values: list[str]) -> RepoFilter:
    text = _one("sort", values)
    if text not in SORTS:
        raise Invalid(f'Unknown sort "{text}": expected one of {quoted(SORTS)}.')
    return replace(asked, sort=Sort(text))


def _direction(asked: RepoFilter, values: list[str]) -> RepoFilter:
    text = _one("direction", values)
    if text not in {"-1", "1"}:
        raise Invalid("direction must be -1 (highest first) or 1.")
    return replace(asked, ascending=text == "1")


def _parameters(asked: RepoFilter, values: list[str]) -> RepoFilter:
    """Such as ``min:6B,max:128B``; both ends belong to the range."""
    limits: dict[str, int] = {}
    for part in _one("num_parameters", values).split(","):
        side, _, size = part.strip().partition(":")
        parsed = _SIZE.fullmatch(size.strip())
        if side not in {"min", "max"} or side in limits or not parsed:
            raise Invalid('num_parameters must be like "min:6B,max:128B", "min:6B" or "max:500M".')
        number, unit = parsed.groups()
        limits[side] = min(round(float(number) * _UNITS[unit.upper()]), 2**63 - 1)
    return replace(asked, min_parameters=limits.get("min"), max_parameters=limits.get("max"))


def _inference(asked: RepoFilter, values: list[str]) -> RepoFilter:
    if _one("inference", values) != "warm":
        raise Invalid('inference must be "warm".')
    return replace(asked, inference=True)


def _apps(asked: RepoFilter, values: list[str]) -> RepoFilter:
    for app in values:
        if app not in APPS:
            raise Invalid(f'Unknown app "{app}": expected one of {quoted(sorted(APPS))}.')
    return replace(asked, apps=tuple(values))


_EVERY: Mapping[str, Reader] = {
    "author": _single("author"),
    "cursor": _single("cursor"),
    "direction": _direction,
    "filter": _all("tags"),
    "search": _all("search"),
    "sort": _sort,
}
_READERS: Mapping[RepoKind, Mapping[str, Reader]] = {
    RepoKind.MODEL: {
        **_EVERY,
        "apps": _apps,
        "gated": _flag("gated"),
        "inference": _inference,
        "inference_provider": _all("inference_providers"),
        "library": _single("library"),
        "num_parameters": _parameters,
        "pipeline_tag": _single("pipeline_tag"),
    },
    RepoKind.DATASET: {**_EVERY, "gated": _flag("gated"), "library": _single("library")},
    RepoKind.SPACE: {
        **_EVERY,
        "datasets": _all("datasets"),
        "linked": _flag("linked"),
        "models": _all("models"),
        "sdk": _all("sdks"),
    },
}
