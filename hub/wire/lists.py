"""Wire: lists of repos with every filter, the tags that they have, search over spaces."""

from dataclasses import replace
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from hub.cards.tag_types import tag_label
from hub.http.list_query import boolean, filter_of
from hub.http.repo_json import asked_for_in_list, needs_files, repos_json
from hub.http.repo_properties import PROPERTIES
from hub.names import RepoKind
from hub.queries import facets, search
from hub.queries.repo_details import RepoDetails
from hub.queries.repo_filter import RepoFilter, Sort
from hub.queries.repo_rows import RepoRow
from teams.errors import Invalid
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.views import Public, WireView

PAGE = 1000
PAGE_WITH_FILES = 100
TAGS_LIVE = 60
"""Seconds for which the tags in use are remembered: counting them reads every card."""
MOST_SPACES = 50

_FOR_THE_ANSWER = frozenset({"limit", "full", "expand", "expand[]", "config", "cardData"})
_FOR_MODELS_ALONE = frozenset({"config", "cardData"})
_TO_SEARCH = frozenset({"q", "includeNonRunning", "limit"})
_TO_FILTER_SEARCH = frozenset({"filter", "sdk"})
_FILTERED = Public("A list holds only what its reader may see.")


class ListRepos(WireView):
    """GET /api/{kind}s."""

    authz = {"get": _FILTERED}

    def get(self, request: HttpRequest, kind: RepoKind) -> HttpResponse:
        is_model = kind is RepoKind.MODEL
        beside = _FOR_THE_ANSWER if is_model else _FOR_THE_ANSWER - _FOR_MODELS_ALONE
        asked = filter_of(request, kind, beside=beside)
        wanted = asked_for_in_list(
            request,
            kind,
            full=_said(request, "full"),
            card=_said(request, "cardData"),
            config=_said(request, "config"),
        )
        most = PAGE_WITH_FILES if needs_files(wanted) else PAGE
        limit = limit_of(request, default=most, most=most)
        page = search.find(replace(asked, limit=limit), self.principal)
        rows = repos_json(page.repos, kind, wanted, self.principal)
        response = JsonAnswer(rows)
        if page.next_cursor:
            return with_next(response, request, cursor=page.next_cursor)
        return response


def _said(request: HttpRequest, name: str) -> bool:
    values = [value for value in request.GET.getlist(name) if value]
    return boolean(name, values) if values else False


class TagsByType(WireView):
    """GET /api/models-tags-by-type, /api/datasets-tags-by-type."""

    authz = {"get": Public("Tags of public repos; the client asks without a token.")}

    def get(self, _request: HttpRequest, kind: RepoKind) -> HttpResponse:
        by_type = cache.get_or_set(
            f"tags-by-type:{kind}", lambda: facets.tags_by_type(kind), TAGS_LIVE
        )
        return JsonAnswer(
            {
                type_: [{"id": tag, "label": tag_label(kind, tag), "type": type_} for tag in tags]
                for type_, tags in (by_type or {}).items()
            }
        )


class SearchSpaces(WireView):
    """GET /api/spaces/semantic-search."""

    authz = {"get": _FILTERED}

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = filter_of(request, RepoKind.SPACE, beside=_TO_SEARCH, only=_TO_FILTER_SEARCH)
        text = request.GET.get("q", "").strip()
        if not text:
            raise Invalid("q must say what to search for.")
        if not _said(request, "includeNonRunning"):
            # Spaces are kept here and not run.
            return JsonAnswer([])
        limit = limit_of(request, default=MOST_SPACES, most=MOST_SPACES)
        asked = replace(asked, text=text, sort=Sort.RELEVANCE, limit=limit)
        return JsonAnswer(self._spaces(asked))

    def _spaces(self, asked: RepoFilter) -> list[dict[str, Any]]:
        page = search.find(asked, self.principal)
        details = RepoDetails(page.repos, self.principal, columns=["metadata"])
        best = max(page.ranks.values(), default=0) or 1
        return [_space_json(repo, details, page.ranks[repo.id] / best) for repo in page.repos]


def _space_json(repo: RepoRow, details: RepoDetails, relevance: float) -> dict[str, Any]:
    metadata = details.card(repo, "metadata") or {}
    runtime = PROPERTIES[RepoKind.SPACE]["runtime"]
    return {
        "id": repo.full_name,
        "author": repo.namespace,
        "title": str(metadata.get("title") or repo.name),
        "emoji": metadata.get("emoji"),
        "sdk": repo.sdk or None,
        "likes": repo.likes,
        "private": repo.private,
        "tags": repo.tags,
        "runtime": runtime.build(repo, details),
        "semanticRelevancyScore": round(relevance, 4),
        "trendingScore": round(repo.trending),
    }
