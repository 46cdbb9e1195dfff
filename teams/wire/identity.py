"""whoami-v2 and profiles of users and organisations, in the wire's shapes."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from teams.errors import Unauthenticated
from teams.http.json_answer import JsonAnswer
from teams.http.views import Public, WireView
from teams.models import AccessToken, Organisation, User
from teams.queries import members_of, memberships_of, organisation_named
from teams.queries.token_scopes import Scopes, reads_gated, scopes_of
from teams.roles import Action, Permission, Role

AVATAR = "/static/img/avatar.svg"


class WhoAmI(WireView):
    """GET /api/whoami-v2."""

    authz = {"get": Action.SIGN_IN}

    def get(self, _request: HttpRequest) -> JsonAnswer:
        user = self.principal.user
        if user is None:
            raise Unauthenticated
        return JsonAnswer(
            {
                "type": "user",
                "id": user.public_id,
                "name": user.name,
                "fullname": user.fullname or user.name,
                "email": user.email,
                "emailVerified": False,
                "avatarUrl": AVATAR,
                "isPro": False,
                "canPay": False,
                "orgs": [
                    organisation_json(membership.organisation)
                    | {"roleInOrg": Role(membership.role).label}
                    for membership in memberships_of(user)
                ],
                "auth": self._credential(),
            }
        )

    def _credential(self) -> dict[str, Any]:
        token = self.principal.token
        if token is None:
            return {"type": "session"}
        return {"type": "access_token", "accessToken": access_token_json(token)}


def access_token_json(token: AccessToken) -> dict[str, Any]:
    """The token that was shown, in the shape that clients read."""
    told: dict[str, Any] = {
        "displayName": token.name,
        "role": token.role,
        "createdAt": f"{token.created_at:%Y-%m-%dT%H:%M:%S.000Z}",
    }
    if token.expires_at is not None:
        told["expiresAt"] = f"{token.expires_at:%Y-%m-%dT%H:%M:%S.000Z}"
    if token.role == AccessToken.TokenRole.FINE_GRAINED:
        told["fineGrained"] = _fine_grained(scopes_of([token])[token.pk])
    return told


def _fine_grained(scopes: Scopes) -> dict[str, Any]:
    return {
        "canReadGatedRepos": reads_gated(scopes),
        "global": [one for one in scopes.everywhere if one != Permission.GATED_READ],
        "scoped": [
            {
                "entity": {"_id": one.public_id, "type": one.kind, "name": one.name},
                "permissions": list(one.permissions),
            }
            for one in scopes.entities
        ],
    }


def organisation_json(organisation: Organisation) -> dict[str, Any]:
    """An organisation as it stands in lists."""
    return {
        "type": "org",
        "id": organisation.public_id,
        "name": organisation.name,
        "fullname": organisation.fullname or organisation.name,
        "avatarUrl": AVATAR,
        "isEnterprise": False,
    }


def user_json(user: User) -> dict[str, Any]:
    """A user as it stands in lists of people."""
    return {
        "type": "user",
        "user": user.name,
        "fullname": user.fullname or user.name,
        "avatarUrl": AVATAR,
        "isPro": False,
    }


class Members(WireView):
    """GET /api/organizations/{name}/members."""

    authz = {"get": Public("Who is in an organisation is public, as its repos' authors are.")}

    def get(self, _request: HttpRequest, name: str) -> HttpResponse:
        organisation = organisation_named(name)
        rows = [user_json(membership.user) for membership in members_of(organisation)]
        return JsonAnswer(rows)
