"""The query string of a list page: facets that toggle, sorts, chips; the URL is all the state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict

from hub.cards.tag_types import tag_label
from hub.names import RepoKind
from hub.queries.facets import SIZES, Facets
from hub.queries.repo_filter import RepoFilter, Sort

REPOS_A_PAGE = 30
MAX_VALUE = 200
MAX_VALUES = 20

SORTS: Mapping[str, tuple[str, Sort]] = {
    "trending": ("Trending", Sort.TRENDING),
    "modified": ("Updated", Sort.MODIFIED),
    "created": ("New", Sort.CREATED),
    "downloads": ("Downloads", Sort.DOWNLOADS),
    "likes": ("Likes", Sort.LIKES),
}
SIZE = "size"


class FacetRule(NamedTuple):
    """One group of filters: its label, and what stands before a value to make it a tag."""

    label: str
    prefix: str = ""


_LICENCE = FacetRule("Licences", "license:")
RULES: Mapping[RepoKind, Mapping[str, FacetRule]] = {
    RepoKind.MODEL: {
        "pipeline_tag": FacetRule("Tasks"),
        "library": FacetRule("Libraries"),
        "language": FacetRule("Languages"),
        "license": _LICENCE,
        "dataset": FacetRule("Trained on", "dataset:"),
        "base_model": FacetRule("Base models", "base_model:"),
        "other": FacetRule("Other"),
    },
    RepoKind.DATASET: {
        "task_categories": FacetRule("Tasks", "task_categories:"),
        "modality": FacetRule("Modalities", "modality:"),
        "format": FacetRule("Formats", "format:"),
        "size_categories": FacetRule("Rows", "size_categories:"),
        "language": FacetRule("Languages", "language:"),
        "license": _LICENCE,
        "library": FacetRule("Libraries", "library:"),
        "other": FacetRule("Other"),
    },
    RepoKind.SPACE: {"license": _LICENCE, "other": FacetRule("Other")},
}
"""By the name of the parameter, which is also the type of the tag."""

_STEPS = [*SIZES.values(), 2**63]
_RANGES: Mapping[str, tuple[str, int, int]] = {
    f"{low}-{high if high < 2**63 else ''}": (label, low, high - 1)
    for label, low, high in zip(SIZES, _STEPS, _STEPS[1:], strict=False)
}
"""Value in the URL to label, least and most parameters."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a facet and the list that has it on, or off again."""

    label: str
    value: str
    count: int | None
    url: str
    selected: bool


class Facet(NamedTuple):
    """One group of filters as the page shows it."""

    name: str
    label: str
    param: str
    options: list[Option]


class Chip(NamedTuple):
    """A filter that is on, and the list without it."""

    label: str
    remove_url: str


class SortOption(NamedTuple):
    """One order, and the list in it."""

    label: str
    url: str
    selected: bool


@dataclass(frozen=True, slots=True)
class ListState:
    """What the URL of a list says; everything that it doesn't know is left out."""

    kind: RepoKind
    selected: tuple[tuple[str, str], ...] = ()
    search: str = ""
    author: str = ""
    sort: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, kind: RepoKind, query: QueryDict) -> "ListState":
        known = [*RULES[kind], *([SIZE] if kind is RepoKind.MODEL else [])]
        selected = [
            (param, value)
            for param in known
            for value in dict.fromkeys(map(clean, query.getlist(param)))
            if value and (param != SIZE or value in _RANGES)
        ]
        sort = query.get("sort", "")
        return cls(
            kind,
            tuple(selected[:MAX_VALUES]),
            clean(query.get("search", "")),
            clean(query.get("author", "")),
            sort if sort in SORTS else "",
            query.get("cursor", ""),
        )

    def asked(self) -> RepoFilter:
        rules = RULES[self.kind]
        tags = [rules[param].prefix + value for param, value in self.selected if param != SIZE]
        ranges = [_RANGES[value] for param, value in self.selected if param == SIZE]
        return RepoFilter(
            kind=self.kind,
            author=self.author,
            search=(self.search,) if self.search else (),
            tags=tuple(tags),
            min_parameters=max((low for _label, low, _high in ranges), default=None),
            max_parameters=min((high for _label, _low, high in ranges), default=None),
            sort=SORTS[self.sort][1] if self.sort else Sort.TRENDING,
            limit=REPOS_A_PAGE,
            cursor=self.cursor,
        )

    def url(self, *, cursor: str = "") -> str:
        pairs = [
            ("search", self.search),
            ("author", self.author),
            *self.selected,
            ("sort", self.sort),
            ("cursor", cursor),
        ]
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"/{self.kind.plural}?{query}" if query else f"/{self.kind.plural}"

    def toggled(self, param: str, value: str) -> str:
        """The list with one filter more, or one less."""
        one = (param, value)
        rest = tuple(pair for pair in self.selected if pair != one)
        selected = rest if one in self.selected else (*rest, one)
        return replace(self, selected=selected, cursor="").url()

    def facets(self, counted: Facets) -> list[Facet]:
        found = [
            Facet(param, rule.label, param, self._options(param, rule, counted))
            for param, rule in RULES[self.kind].items()
        ]
        if self.kind is RepoKind.MODEL:
            found.insert(2, Facet(SIZE, "Parameters", SIZE, self._sizes(counted)))
        return [facet for facet in found if facet.options]

    def _options(self, param: str, rule: FacetRule, counted: Facets) -> list[Option]:
        options = [
            self._option(param, value.tag.removeprefix(rule.prefix), value.label, value.count)
            for value in counted.by_type.get(param, ())
        ]
        there = {option.value for option in options}
        # A filter that leaves nothing must still be there to be taken away.
        options += [
            self._option(param, value, self._label(param, value), None)
            for name, value in self.selected
            if name == param and value not in there
        ]
        return sorted(options, key=lambda option: not option.selected)

    def _sizes(self, counted: Facets) -> list[Option]:
        return [
            self._option(SIZE, value, label, counted.by_size.get(label, 0))
            for value, (label, _low, _high) in _RANGES.items()
            if label in counted.by_size or (SIZE, value) in self.selected
        ]

    def _option(self, param: str, value: str, label: str, count: int | None) -> Option:
        is_on = (param, value) in self.selected
        return Option(label, value, count, self.toggled(param, value), is_on)

    def _label(self, param: str, value: str) -> str:
        if param == SIZE:
            return _RANGES[value][0]
        return tag_label(self.kind, RULES[self.kind][param].prefix + value)

    def chips(self) -> list[Chip]:
        chips = [
            Chip(self._label(param, value), self.toggled(param, value))
            for param, value in self.selected
        ]
        if self.author:
            chips.insert(0, Chip(f"by {self.author}", replace(self, author="", cursor="").url()))
        return chips

    def sort_options(self) -> list[SortOption]:
        current = self.sort or "trending"
        return [
            SortOption(label, replace(self, sort=name, cursor="").url(), name == current)
            for name, (label, _sort) in SORTS.items()
        ]


def clean(text: str) -> str:
    """Text of a URL as a value to look for; nothing that exists is longer."""
    return text.strip()[:MAX_VALUE]
