"""RepoFilter: what somebody looks for; and the one place where it becomes a condition on rows.

Conditions are SQL over ``repo_rows.TABLES``: a list is asked so often that putting the query
together must not cost more than answering it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from hub.cards.apps import APPS
from hub.cards.grams import gram_query
from hub.cards.words import plain_words
from hub.names import RepoKind
from hub.policies import namespaces_of
from teams.errors import Invalid
from teams.policies import Principal
from teams.roles import Permission


class Sort(StrEnum):
    """By what a list is ordered, highest or newest first; ties by id, newest first."""

    TRENDING = "trendingScore"
    DOWNLOADS = "downloads"
    LIKES = "likes"
    MODIFIED = "lastModified"
    CREATED = "createdAt"
    RELEVANCE = "relevance"
    """How well a card answers the full-text query; only where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFilter:
    """A question to the list of repos; of several values a repo must have all, unless said."""

    kind: RepoKind | None = None
    author: str = ""
    search: tuple[str, ...] = ()
    """Each is contained in the full name, in any case; words in one are terms of their own."""
    text: str = ""
    """Full-text query over names, tags and cards: words, "phrases", or, -without."""
    tags: tuple[str, ...] = ()
    pipeline_tag: str = ""
    library: str = ""
    gated: bool | None = None
    min_parameters: int | None = None
    max_parameters: int | None = None
    apps: tuple[str, ...] = ()
    inference: bool = False
    """Only models that somebody serves at this moment."""
    inference_providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Spaces whose cards name these models."""
    datasets: tuple[str, ...] = ()
    linked: bool = False
    """Spaces whose cards name any model or dataset."""
    sdks: tuple[str, ...] = ()
    """Spaces made with any of these."""
    sort: Sort = Sort.TRENDING
    ascending: bool = False
    limit: int = 30
    cursor: str = ""


class Condition(NamedTuple):
    """A piece of SQL and the values that it names."""

    sql: str
    values: dict[str, Any]


Pieces = Iterator[tuple[str, dict[str, Any]]]

# Cards are in many languages, and names in none: a word counts as English and as it is written.
TEXT_QUERY = (
    "(websearch_to_tsquery('english', %(text)s) || websearch_to_tsquery('simple', %(text)s))"
)


def matching(asked: RepoFilter, principal: Principal) -> Condition:
    """The condition under which a repo is what ``asked`` describes and ``principal`` may see it.

    Raises:
        Invalid: the question makes no sense.
    """
    pieces = [
        visible_to(principal),
        *_of_repo(asked),
        *_of_name(asked),
        *_of_card(asked),
        *_of_use(asked),
    ]
    values = {name: value for _sql, named in pieces for name, value in named.items()}
    return Condition(" AND ".join(piece for piece, _named in pieces), values)


def visible_to(principal: Principal) -> Condition:
    """``hub.policies.visible_to`` for queries that are written by hand; a test compares them."""
    if principal.user is None:
        return Condition("r.visibility = 'public'", {})
    pieces: list[str] = []
    values: dict[str, Any] = {}
    if not principal.rules_all:
        pieces.append(
            _WITHIN_REACH.format(granted=_GRANTED if principal.standings.has_grants else "")
        )
        values |= asdict(namespaces_of(principal)) | {"reader": principal.user.pk}
    scope = principal.scope
    if scope is not None and not scope.has_everywhere(Permission.CONTENT_READ):
        pieces.append(_WITHIN_SCOPE)
        values["scope_repos"] = scope.repos_with(Permission.CONTENT_READ)
        values["scope_namespaces"] = scope.namespaces_with(Permission.CONTENT_READ)
    if principal.shut_out:
        pieces.append("r.namespace_id <> ALL(%(shut_out)s::bigint[])")
        values["shut_out"] = sorted(principal.shut_out)
    if not pieces:
        return Condition("true", {})
    return Condition(f"(r.visibility = 'public' OR ({' AND '.join(pieces)}))", values)


# Each of the three look-ups is made once for the query, and only when a private repo comes along.
_GRANTED = """
    OR r.id IN (SELECT repo_id FROM teams_reach
        WHERE user_id = %(reader)s AND repo_id IS NOT NULL)
    OR (r.resource_group_id, r.kind) IN (SELECT group_id, unnest(kinds) FROM teams_reach
        WHERE user_id = %(reader)s AND group_id IS NOT NULL)
    OR (r.resource_group_id IS NULL AND (r.namespace_id, r.kind) IN (
        SELECT namespace_id, unnest(kinds) FROM teams_reach
        WHERE user_id = %(reader)s AND group_id IS NULL AND repo_id IS NULL))"""
_WITHIN_REACH = """(r.namespace_id = ANY(%(ruled)s::bigint[])
    OR (r.resource_group_id IS NULL AND r.namespace_id = ANY(%(readable)s::bigint[])){granted})"""
_WITHIN_SCOPE = """(r.id = ANY(%(scope_repos)s::bigint[])
    OR r.namespace_id = ANY(%(scope_namespaces)s::bigint[]))"""


def text_values(text: str) -> dict[str, str]:
    """The value that ``TEXT_QUERY`` names."""
    return {"text": plain_words(text)}


def _of_repo(asked: RepoFilter) -> Pieces:
    if asked.kind:
        yield "r.kind = %(kind)s", {"kind": asked.kind.value}
    if asked.author:
        author = "(SELECT id FROM teams_namespace WHERE lower(name) = %(author)s)"
        yield f"r.namespace_id = {author}", {"author": asked.author.lower()}
    if asked.gated is not None:
        yield f"r.gate {'<>' if asked.gated else '='} ''", {}
    if asked.sdks:
        yield "r.sdk = ANY(%(sdks)s::text[])", {"sdks": list(asked.sdks)}


def _of_name(asked: RepoFilter) -> Pieces:
    """The vector of grams finds candidates by its index; the name itself decides."""
    terms = [term for text in asked.search for term in text.lower().split()]
    for place, term in enumerate(terms):
        may_hold = f"c.name_grams @@ %(grams{place})s::tsquery"
        holds = f"strpos(lower(n.name || '/' || r.name), %(term{place})s) > 0"
        values = {f"grams{place}": gram_query(term), f"term{place}": term}
        yield f"{may_hold} AND {holds}", values


def _of_card(asked: RepoFilter) -> Pieces:
    tags = [*asked.tags, *_library_tags(asked)]
    if tags:
        yield "c.tags @> %(tags)s::text[]", {"tags": tags}
    for place, app in enumerate(asked.apps):
        yield _fits_app(app, place)
    if asked.pipeline_tag:
        yield "c.pipeline_tag = %(task)s", {"task": asked.pipeline_tag}
    if asked.min_parameters is not None:
        yield "c.parameters >= %(fewest)s::bigint", {"fewest": asked.min_parameters}
    if asked.max_parameters is not None:
        yield "c.parameters <= %(most)s::bigint", {"most": asked.max_parameters}
    if asked.text:
        yield f"c.search @@ {TEXT_QUERY}", text_values(asked.text)


def _library_tags(asked: RepoFilter) -> list[str]:
    if not asked.library:
        return []
    is_dataset = asked.kind is RepoKind.DATASET
    return [f"library:{asked.library}" if is_dataset else asked.library]


def _fits_app(app: str, place: int) -> Condition:
    if app not in APPS:
        raise Invalid(f'Unknown app "{app}": expected one of {quoted(sorted(APPS))}.')
    values = {f"app{place}x{n}": sorted(tags) for n, tags in enumerate(APPS[app])}
    return Condition(
        "(" + " OR ".join(f"c.tags @> %({name})s::text[]" for name in values) + ")", values
    )


_USES_ANYTHING = " OR ".join(
    f"""jsonb_path_exists(c.metadata, '$.{key}[*] ? (@.type() == "string")')"""
    for key in ("models", "datasets")
)


def _of_use(asked: RepoFilter) -> Pieces:
    """A card names what a space uses as one name or as a list of names."""
    for key, names in (("models", asked.models), ("datasets", asked.datasets)):
        for place, name in enumerate(names):
            yield f"c.metadata -> '{key}' ? %({key}{place})s", {f"{key}{place}": name}
    if asked.linked:
        yield f"({_USES_ANYTHING})", {}
    if asked.inference or asked.inference_providers:
        # Nothing here serves models yet, so no model is warm and no provider has any.
        yield "false", {}


def quoted(words: Iterable[str]) -> str:
    """The words that were expected, as clients' own tests read them: ``"a"|"b"``."""
    return "|".join(f'"{word}"' for word in words)
