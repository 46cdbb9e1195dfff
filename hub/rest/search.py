"""REST: one search over the names and cards of all repos."""

from typing import Any

from django.http import HttpRequest, QueryDict
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.names import RepoKind
from hub.queries import search
from hub.queries.repo_filter import RepoFilter, Sort, quoted
from hub.queries.repo_rows import RepoRow
from teams.errors import Invalid
from teams.http.pagination import limit_of
from teams.http.rest import RestView, described
from teams.http.views import Public

PAGE = 30
MOST = 100
MAX_QUERY = 500
PARAMETERS = ("q", "kind", "limit", "cursor")


class FoundRepo(serializers.Serializer[RepoRow]):
    """One repo that answers the query."""

    id = serializers.CharField(source="full_name", help_text="Full name, such as acme/llama-tiny.")
    kind = serializers.ChoiceField(choices=[kind.value for kind in RepoKind])
    url = serializers.CharField(help_text="Path of the repo's page.")
    private = serializers.BooleanField()
    gated = serializers.BooleanField()
    likes = serializers.IntegerField()
    downloads = serializers.IntegerField(help_text="In the last 30 days.")
    created_at = serializers.DateTimeField()
    last_modified = serializers.DateTimeField()
    pipeline_tag = serializers.CharField(allow_blank=True)
    library_name = serializers.CharField(allow_blank=True)
    parameters = serializers.IntegerField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    highlight = serializers.SerializerMethodField(
        help_text="Passages of the card as safe HTML; what matched stands in <mark>."
    )

    def get_highlight(self, repo: RepoRow) -> str:
        return str(self.context["highlights"].get(repo.id, ""))


class SearchAnswer(serializers.Serializer[dict[str, Any]]):
    """One page of results, best first."""

    count = serializers.IntegerField(
        help_text=f"Up to {search.TEXT_COUNT_CAP}; see count_is_exact."
    )
    count_is_exact = serializers.BooleanField()
    next_cursor = serializers.CharField(
        allow_null=True, help_text="Give it as cursor for the next page; null at the end."
    )
    results = FoundRepo(many=True)


class Search(RestView):
    """GET /api/v1/search."""

    authz = {"get": Public("Results hold only what their reader may see.")}

    @described(
        operation_id="search",
        summary="Search names, tags and cards of all repos",
        parameters=[
            OpenApiParameter("q", str, required=True, description='Words, "phrases", or, -without'),
            OpenApiParameter("kind", str, enum=[kind.value for kind in RepoKind]),
            OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
            OpenApiParameter("cursor", str, description="next_cursor of the page before"),
        ],
        responses={200: SearchAnswer, 400: OpenApiResponse(description="A parameter is wrong.")},
    )
    def get(self, request: Request) -> Response:
        asked = _asked(request.query_params, self.http_request)
        page = search.find(asked, self.principal)
        total = search.count(asked, self.principal, cap=search.TEXT_COUNT_CAP)
        marked = search.highlights(asked.text, [repo.id for repo in page.repos])
        answer = {
            "count": total.number,
            "count_is_exact": not total.capped,
            "next_cursor": page.next_cursor or None,
            "results": page.repos,
        }
        return Response(SearchAnswer(answer, context={"highlights": marked}).data)


def _asked(query: QueryDict, request: HttpRequest) -> RepoFilter:
    for name in query:
        if name not in PARAMETERS:
            raise Invalid(f'There is no parameter "{name}": expected one of {quoted(PARAMETERS)}.')
    text = query.get("q", "").strip()
    if not text or len(text) > MAX_QUERY or "\0" in text:
        raise Invalid(f"q must say what to search for, in up to {MAX_QUERY} characters.")
    return RepoFilter(
        kind=_kind(query.get("kind", "")),
        text=text,
        sort=Sort.RELEVANCE,
        limit=limit_of(request, default=PAGE, most=MOST),
        cursor=query.get("cursor", ""),
    )


def _kind(text: str) -> RepoKind | None:
    if text and text not in set(RepoKind):
        raise Invalid(f'Unknown kind "{text}": expected one of {quoted(RepoKind)}.')
    return RepoKind(text) if text else None
