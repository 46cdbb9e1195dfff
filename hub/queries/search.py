"""Find repos: pages, counts and highlights, always of what the reader may see.

The number of queries never depends on the number of rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from hub.cards.grams import gram_query
from hub.cards.words import plain_words
from hub.models import sql
from hub.names import RepoKind
from hub.queries import cursors
from hub.queries.repo_filter import (
    TEXT_QUERY,
    Condition,
    RepoFilter,
    Sort,
    matching,
    text_values,
)
from hub.queries.repo_rows import COLUMNS, TABLES, RepoRow
from teams.errors import Invalid
from teams.policies import Principal

COUNT_CAP = 10_000
TEXT_COUNT_CAP = 1_000
"""Each match of a full-text query costs a look at its text vector, so fewer are counted."""
RANKED = 1_000
"""How many repos of each kind a search by relevance ranks, and how many by their names."""

_KEYS = {
    Sort.TRENDING: "r.trending",
    Sort.DOWNLOADS: "r.downloads",
    Sort.LIKES: "r.likes",
    Sort.MODIFIED: "r.last_modified",
    Sort.CREATED: "r.created_at",
    # The nearer the words are to each other, and the higher their place in the card, the better.
    Sort.RELEVANCE: f"ts_rank_cd(c.search, {TEXT_QUERY})::float8",
}
_DATES = frozenset({Sort.CREATED, Sort.MODIFIED})


@dataclass(frozen=True, slots=True)
class Page:
    """Some repos of a list, and the cursor of what comes after; empty at the end."""

    repos: list[RepoRow]
    next_cursor: str = ""
    ranks: dict[int, float] = field(default_factory=dict)
    """Of a full-text search by relevance: repo id to rank."""


def find(asked: RepoFilter, principal: Principal) -> Page:
    """Answer one page of the repos that ``asked`` describes, in one query.

    Raises:
        Invalid: the question makes no sense, or the cursor is not one of its own.
    """
    query, values = page_query(asked, principal)
    rows = sql.rows(query, values, prepare=False)
    shown = rows[: asked.limit]
    page = [RepoRow._make(row[:-1]) for row in shown]
    ranks = {row[0]: row[-1] for row in shown} if asked.sort is Sort.RELEVANCE else {}
    if len(rows) <= asked.limit:
        return Page(page, ranks=ranks)
    return Page(page, cursors.encode(asked.sort, shown[-1][-1], page[-1].id), ranks)


def page_query(asked: RepoFilter, principal: Principal) -> Condition:
    """The query behind :func:`find`: one row more than asked for, the sort's value as last column.

    Raises:
        Invalid: as :func:`find`.
    """
    if asked.sort is Sort.RELEVANCE and not asked.text:
        raise Invalid("Only a full-text search can be sorted by relevance.")
    where, values = matching(asked, principal)
    prelude = ""
    if asked.sort is Sort.RELEVANCE:
        prelude, values = _candidates(asked, Condition(where, values))
        where = "r.id IN (SELECT id FROM candidate)"
    key, direction = _KEYS[asked.sort], "ASC" if asked.ascending else "DESC"
    beyond, cursor_values = _beyond(asked, key)
    query = (
        f"{prelude}SELECT {COLUMNS}, {key} FROM {TABLES} WHERE {where}{beyond} "
        f"ORDER BY {key} {direction}, r.id {direction} LIMIT %(limit)s"
    )
    return Condition(query, values | cursor_values | {"limit": asked.limit + 1})


def _candidates(asked: RepoFilter, found: Condition) -> Condition:
    """Name the repos that are worth ranking as ``candidate``.

    A rank is computed from the whole text vector, which is too dear for a word that every other
    card holds. So of each kind the most downloaded matches are ranked, and those that have the
    words in their names.
    """
    values = dict(found.values)
    wheres = [found.sql] if asked.kind else [f"{found.sql} AND r.kind = '{k}'" for k in RepoKind]
    words = _plain_words_of(asked.text)
    if words:
        values["name_grams"] = " & ".join(gram_query(word) for word in words)
        wheres.append(f"{found.sql} AND c.name_grams @@ %(name_grams)s::tsquery")
    best = f"ORDER BY r.downloads DESC, r.id DESC LIMIT {RANKED}"
    parts = [f"(SELECT r.id FROM {TABLES} WHERE {where} {best})" for where in wheres]
    return Condition(f"WITH candidate AS MATERIALIZED ({' UNION '.join(parts)}) ", values)


def _plain_words_of(text: str) -> list[str]:
    """The words of a query that is only words, else none."""
    words = plain_words(text).lower().split()
    if '"' in text or "or" in words or any(word.startswith("-") for word in words):
        return []
    return words


def _beyond(asked: RepoFilter, key: str) -> tuple[str, dict[str, Any]]:
    if not asked.cursor:
        return "", {}
    value, last_id = cursors.decode(asked.sort, asked.cursor)
    if isinstance(value, datetime) is not (asked.sort in _DATES):
        raise Invalid("The cursor belongs to another list.")
    side = ">" if asked.ascending else "<"
    values = {"last_value": value, "last_id": last_id}
    return f" AND ({key}, r.id) {side} (%(last_value)s, %(last_id)s)", values


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; where ``capped``, at least as many."""

    number: int
    capped: bool = False

    def __str__(self) -> str:
        number = f"{self.number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        return f"{number}+" if self.capped else number


def count(asked: RepoFilter, principal: Principal, cap: int = COUNT_CAP) -> Count:
    """Count the repos that ``asked`` describes, up to ``cap``."""
    query, values = count_query(asked, principal, cap)
    ((seen,),) = sql.rows(query, values, prepare=False)
    return Count(min(seen, cap), capped=seen > cap)


def count_query(asked: RepoFilter, principal: Principal, cap: int) -> Condition:
    """The query behind :func:`count`: it looks at one row more than it may count."""
    where, values = matching(asked, principal)
    seen = f"SELECT 1 FROM {TABLES} WHERE {where} LIMIT %(limit)s"
    return Condition(f"SELECT count(*) FROM ({seen}) hit", values | {"limit": cap + 1})


# Control characters that no rendered card shows: what is between them matched.
_START, _STOP = "\x02", "\x03"
_HIGHLIGHT = f"""
SELECT repo_id, ts_headline('english', translate(left(body, %(read)s), %(marks)s, ''),
    {TEXT_QUERY}, %(options)s)
FROM hub_repocard c WHERE repo_id = ANY(%(repos)s)
"""
_READ = 20_000
"""How much of a card is looked through for a passage to show, in characters."""
_OPTIONS = (
    f'StartSel="{_START}", StopSel="{_STOP}", MaxWords=40, MinWords=15, MaxFragments=2, '
    'FragmentDelimiter=" … "'
)


def highlights(text: str, repo_ids: Iterable[int]) -> dict[int, SafeString]:
    """For repos of one page, the passages of their cards that answer ``text``, as safe HTML.

    Everything is escaped; the only markup is ``<mark>`` around what matched.
    """
    query, values = highlight_query(text, repo_ids)
    return {repo_id: _marked(line) for repo_id, line in sql.rows(query, values)}


def highlight_query(text: str, repo_ids: Iterable[int]) -> Condition:
    """The query behind :func:`highlights`."""
    values = {"repos": list(repo_ids), "read": _READ, "marks": _START + _STOP, "options": _OPTIONS}
    return Condition(_HIGHLIGHT, values | text_values(text))


def _marked(line: str) -> SafeString:
    escaped = escape(line)
    marked = escaped.replace(_START, "<mark>").replace(_STOP, "</mark>")
    return mark_safe(marked)  # noqa: S308 - escaped above; the marks are ours
