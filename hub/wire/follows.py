"""Wire: who follows whom, and profiles with their numbers."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.models import Follow
from hub.queries.follows import (
    counts_of,
    followed_by,
    followers_of,
    is_followed,
    repo_counts,
)
from hub.services import follows
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.views import Public, WireView
from teams.models import Namespace
from teams.names import number_in
from teams.policies import Principal
from teams.queries import members_of, memberships_of, organisation_named, user_named
from teams.roles import Action
from teams.wire.identity import organisation_json, user_json

PAGE = 100
_PUBLIC = Public("Who follows whom is public, as profiles are.")


def _namespace(kind: str, name: str) -> Namespace:
    return (user_named(name) if kind == "users" else organisation_named(name)).namespace


class FollowOne(WireView):
    """POST and DELETE /api/users/{name}/follow and /api/organizations/{name}/follow."""

    authz = {"post": Action.SIGN_IN_TO_WRITE, "delete": Action.SIGN_IN_TO_WRITE}

    def post(self, _request: HttpRequest, *, kind: str, name: str) -> HttpResponse:
        follows.follow(namespace=_namespace(kind, name), by=self.principal)
        return JsonAnswer({"isFollowing": True})

    def delete(self, _request: HttpRequest, *, kind: str, name: str) -> HttpResponse:
        follows.unfollow(namespace=_namespace(kind, name), by=self.principal)
        return JsonAnswer({"isFollowing": False})


class Followers(WireView):
    """GET /api/users/{name}/followers and /api/organizations/{name}/followers."""

    authz = {"get": _PUBLIC}

    def get(self, request: HttpRequest, *, kind: str, name: str) -> HttpResponse:
        limit, before = limit_of(request, default=PAGE, most=PAGE), _cursor(request)
        found = followers_of(_namespace(kind, name), before=before, limit=limit + 1)
        return _answer(request, [user_json(one.user) for one in found], found, limit)


class Following(WireView):
    """GET /api/users/{name}/following: users; organisations are told apart by their type."""

    authz = {"get": _PUBLIC}

    def get(self, request: HttpRequest, *, name: str) -> HttpResponse:
        limit, before = limit_of(request, default=PAGE, most=PAGE), _cursor(request)
        found = followed_by(user_named(name), before=before, limit=limit + 1)
        return _answer(request, [_followed_json(one.namespace) for one in found], found, limit)


def _followed_json(namespace: Namespace) -> dict[str, Any]:
    if namespace.kind == Namespace.Kind.USER:
        return user_json(namespace.user)
    organisation = organisation_json(namespace.organisation)
    return {"user": namespace.name, "isPro": False} | organisation


def _cursor(request: HttpRequest) -> int | None:
    text = request.GET.get("cursor", "")
    return number_in(text, "cursor") if text else None


def _answer(
    request: HttpRequest, rows: list[dict[str, Any]], found: Sequence[Follow], limit: int
) -> HttpResponse:
    response = JsonAnswer(rows[:limit])
    if len(found) > limit:
        with_next(response, request, cursor=str(found[limit - 1].pk))
    return response


class UserOverview(WireView):
    """GET /api/users/{name}/overview."""

    authz = {"get": Public("A profile is public; of repos it counts those that its reader sees.")}

    def get(self, _request: HttpRequest, name: str) -> HttpResponse:
        user = user_named(name)
        counts = counts_of(user.namespace, user)
        return JsonAnswer(
            user_json(user)
            | {"orgs": [organisation_json(row.organisation) for row in memberships_of(user)]}
            | _numbers(user.namespace, self.principal)
            | {
                "numFollowers": counts.followers,
                "numFollowing": counts.following,
                "numLikes": counts.likes,
                "numDiscussions": counts.discussions,
                "numPapers": 0,
                "numUpvotes": 0,
            }
        )


class OrganisationOverview(WireView):
    """GET /api/organizations/{name}/overview."""

    authz = {"get": Public("A profile is public; of repos it counts those that its reader sees.")}

    def get(self, _request: HttpRequest, name: str) -> HttpResponse:
        organisation = organisation_named(name)
        return JsonAnswer(
            organisation_json(organisation)
            | {"numUsers": members_of(organisation).count(), "isVerified": False}
            | _numbers(organisation.namespace, self.principal)
            | {"numFollowers": counts_of(organisation.namespace).followers, "numPapers": 0}
        )


def _numbers(namespace: Namespace, reader: Principal) -> dict[str, Any]:
    repos = repo_counts(namespace, reader)
    return {
        "numModels": repos["model"],
        "numDatasets": repos["dataset"],
        "numSpaces": repos["space"],
        "isFollowing": is_followed(namespace, reader.user),
    }
