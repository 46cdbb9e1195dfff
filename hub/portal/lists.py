"""HTML: lists of repos with their filters, and search over names and cards."""

from collections.abc import Mapping
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

from hub.http import links
from hub.names import RepoKind
from hub.portal.list_filter import REPOS_A_PAGE, ListState, clean
from hub.portal.repo_page import Tab
from hub.portal.shown import ShownRepo, shown_rows
from hub.queries import search
from hub.queries.facets import facets
from hub.queries.repo_filter import RepoFilter, Sort
from hub.queries.repo_page import descriptions_of
from hub.queries.search import Page
from teams.http.views import PortalView, Public

FILTERED = Public("A list holds only what its reader may see.")


class Repos(PortalView):
    """GET /models, /datasets, /spaces."""

    authz = {"get": FILTERED}

    def get(self, request: HttpRequest, kind: RepoKind) -> HttpResponse:
        state = ListState.of(kind, request.GET)
        asked = state.asked()
        page = search.find(asked, self.principal)
        counted = facets(replace(asked, cursor=""), self.principal)
        context = {
            "kind": kind.value,
            "section": kind.plural,
            "page": shown_rows(page.repos, descriptions_of(row.id for row in page.repos)),
            "total_text": str(counted.total),
            "next_url": state.url(cursor=page.next_cursor) if page.next_cursor else "",
            "facets": state.facets(counted),
            "query": state.search,
            "sort": state.sort,
            "sort_options": state.sort_options(),
            "chips": state.chips(),
        }
        return page_or_part(request, "hub/repos.html", "results", context)


class Search(PortalView):
    """GET /search?q=…&type=…: full text over names, tags and cards."""

    authz = {"get": FILTERED}

    def get(self, request: HttpRequest) -> HttpResponse:
        query = clean(request.GET.get("q", ""))
        kind = _kind_of(request.GET.get("type", ""))
        asked = RepoFilter(
            kind=kind,
            text=query,
            sort=Sort.RELEVANCE,
            limit=REPOS_A_PAGE,
            cursor=request.GET.get("cursor", ""),
        )
        page = search.find(asked, self.principal) if query else Page([])
        following = {"q": query, "type": kind or "", "cursor": page.next_cursor}
        context = {
            "query": query,
            "search_query": query,
            "kind": kind,
            "kinds": self._kinds(asked) if query else [],
            "results": self._results(query, page),
            "next_url": links.with_query("/search", following) if page.next_cursor else "",
        }
        return render(request, "hub/search.html", context)

    def _kinds(self, asked: RepoFilter) -> list[Tab]:
        kinds = [("All", None), ("Models", RepoKind.MODEL), ("Datasets", RepoKind.DATASET)]
        counts = [
            search.count(replace(asked, kind=kind, cursor=""), self.principal).number
            for _label, kind in kinds
        ]
        return [
            Tab(
                label,
                links.with_query("/search", {"q": asked.text, "type": kind or ""}),
                kind is asked.kind,
                count,
            )
            for (label, kind), count in zip(kinds, counts, strict=True)
        ]

    def _results(self, query: str, page: Page) -> list[ShownRepo]:
        ids = [row.id for row in page.repos]
        if not ids:
            return []
        snippets, descriptions = search.highlights(query, ids), descriptions_of(ids)
        return [
            ShownRepo.of_row(
                row,
                description=descriptions.get(row.id, ""),
                snippet_html=snippets.get(row.id, ""),
            )
            for row in page.repos
        ]


def _kind_of(text: str) -> RepoKind | None:
    return RepoKind(text) if text in {RepoKind.MODEL, RepoKind.DATASET} else None


def page_or_part(
    request: HttpRequest, template: str, part: str, context: Mapping[str, object]
) -> HttpResponse:
    """Answer the page, or to htmx the named part of it: the same markup under the same URL."""
    is_part = request.headers.get("HX-Request-Type") == "partial"
    response = render(request, f"{template}#{part}" if is_part else template, context)
    patch_vary_headers(response, ["HX-Request-Type"])
    if is_part:
        # The back button must not find the part where it looks for the page.
        patch_cache_control(response, no_store=True)
    return response
