"""Wire: like, unlike, who likes what."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.http.dates import iso
from hub.http.repo_views import OfRepo
from hub.models import Like
from hub.queries.likes import LikePage, likes_of, likes_on
from hub.services import likes
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.views import Public, WireView
from teams.queries import user_named
from teams.roles import Action
from teams.wire.identity import user_json

PAGE = 1000


class LikeOne(OfRepo, WireView):
    """POST and DELETE /api/{kind}s/{name}/like."""

    authz = {"post": Action.REPO_LIKE, "delete": Action.REPO_LIKE}

    def post(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return JsonAnswer({"likes": likes.like(repo=self.repo, by=self.principal)})

    def delete(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return JsonAnswer({"likes": likes.unlike(repo=self.repo, by=self.principal)})


class Likers(OfRepo, WireView):
    """GET /api/{kind}s/{name}/likers."""

    authz = {"get": Action.REPO_SEE}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        limit = limit_of(request, default=PAGE, most=PAGE)
        page = likes_on(self.repo, cursor=request.GET.get("cursor", ""), limit=limit)
        return _answer(request, page, lambda like: user_json(like.user))


class LikesOfUser(WireView):
    """GET /api/users/{user}/likes."""

    authz = {"get": Public("Likes are public, as far as their repos are.")}

    def get(self, request: HttpRequest, user: str) -> HttpResponse:
        page = likes_of(
            user_named(user),
            reader=self.principal,
            cursor=request.GET.get("cursor", ""),
            limit=limit_of(request, default=PAGE, most=PAGE),
        )
        return _answer(request, page, _like_json)


def _like_json(like: Like) -> dict[str, Any]:
    return {
        "createdAt": iso(like.created_at),
        "repo": {"name": like.repo.full_name, "type": like.repo.kind},
    }


def _answer(
    request: HttpRequest, page: LikePage, to_json: Callable[[Like], dict[str, Any]]
) -> HttpResponse:
    response = JsonAnswer([to_json(like) for like in page.likes])
    return with_next(response, request, cursor=page.next_cursor) if page.next_cursor else response
