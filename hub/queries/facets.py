"""Facets: what a list could be narrowed by, and how many repos each choice would leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.cards.tag_types import known_tags, tag_label, tag_type
from hub.models import sql
from hub.names import RepoKind
from hub.queries.repo_filter import RepoFilter, matching
from hub.queries.repo_rows import TABLES
from hub.queries.search import COUNT_CAP, Count
from teams.policies import ANONYMOUS, Principal

MOST_VALUES = 50
"""How many values of one type a list shows."""

SIZES: Mapping[str, int] = {
    "< 1M": 0,
    "1M to 100M": 10**6,
    "100M to 1B": 10**8,
    "1B to 10B": 10**9,
    "10B to 100B": 10**10,
    "≥ 100B": 10**11,
}
"""Ranges of parameters, each from its number up to the next one's."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One tag, how people read it, and how many of the counted repos have it."""

    tag: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Type of tag to its values, most frequent first; and range of ``SIZES`` to repos."""

    total: Count
    """Where it is capped, the counts are of as many repos, not of all."""
    by_type: Mapping[str, Sequence[FacetValue]]
    by_size: Mapping[str, int]


_FACETS = """
WITH hit AS MATERIALIZED (
    SELECT c.tags, c.parameters FROM {tables} WHERE {where} LIMIT %(limit)s
)
(SELECT 'total', '', count(*) FROM hit)
UNION ALL
(SELECT 'tag', tag, count(*) FROM hit, unnest(tags) AS tag GROUP BY tag
    ORDER BY 3 DESC, 2 LIMIT 2000)
UNION ALL
(SELECT 'size', width_bucket(parameters, %(sizes)s::bigint[])::text, count(*) FROM hit
    WHERE parameters IS NOT NULL GROUP BY 2)
"""


def facets(asked: RepoFilter, principal: Principal, cap: int = COUNT_CAP) -> Facets:
    """Count by tag and by size over at most ``cap`` of the repos, in one query."""
    where, values = matching(asked, principal)
    query = _FACETS.format(tables=TABLES, where=where)
    values |= {"limit": cap, "sizes": list(SIZES.values())}
    counted = sql.rows(query, values, prepare=False)
    seen = sum(number for what, _value, number in counted if what == "total")
    tags = {value: number for what, value, number in counted if what == "tag"}
    sizes = {int(value): number for what, value, number in counted if what == "size"}
    return Facets(
        Count(seen, capped=seen == cap),
        _by_type(asked.kind or RepoKind.MODEL, tags),
        {name: sizes[place] for place, name in enumerate(SIZES, 1) if place in sizes},
    )


def _by_type(kind: RepoKind, tags: Mapping[str, int]) -> dict[str, list[FacetValue]]:
    by_type: dict[str, list[FacetValue]] = {}
    for tag, number in tags.items():
        values = by_type.setdefault(tag_type(kind, tag), [])
        if len(values) < MOST_VALUES:
            values.append(FacetValue(tag, tag_label(kind, tag), number))
    return by_type


_TAGS = """
SELECT DISTINCT unnest(c.tags) AS tag FROM {tables} WHERE {where} ORDER BY tag
"""


def tags_by_type(kind: RepoKind) -> dict[str, list[str]]:
    """All tags that public repos have, and those of fixed vocabularies, by their type."""
    where, values = matching(RepoFilter(kind=kind), ANONYMOUS)
    used = [tag for (tag,) in sql.rows(_TAGS.format(tables=TABLES, where=where), values)]
    by_type: dict[str, list[str]] = {}
    for tag in dict.fromkeys([*known_tags(kind), *used]):
        by_type.setdefault(tag_type(kind, tag), []).append(tag)
    return by_type
