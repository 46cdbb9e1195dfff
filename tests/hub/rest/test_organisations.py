"""REST of organisations: a whole story by tokens, and what is refused."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from teams.models import Membership, User
from teams.services import tokens
from tests.cast import Cast

pytestmark = pytest.mark.django_db

HOME = "/api/v1/organizations/acme"


class Caller:
    """Sends JSON with a token of somebody."""

    def __init__(self, user: User, role: str = "write") -> None:
        _token, secret = tokens.issue(user=user, name="t", role=role)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def __call__(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        text = "" if body is None else json.dumps(body)
        return self.client.generic(method, path, text, "application/json")


@pytest.fixture
def ada(cast: Cast) -> Caller:
    return Caller(cast.ada)


def test_an_organisation_is_run_by_its_api(cast: Cast, ada: Caller) -> None:
    cleo = Caller(cast.cleo)
    made = cleo("POST", "/api/v1/organizations", {"name": "ink"})
    team = ada("POST", f"{HOME}/teams", {"name": "Ink"}).json()
    group = ada("POST", f"{HOME}/resource-groups", {"name": "Secret"}).json()
    grants = f"{HOME}/resource-groups/{group['id']}/grants"

    joined = ada("PUT", f"{HOME}/teams/{team['id']}/members/ben")
    given = ada("POST", grants, {"team": team["id"], "role": "write", "kinds": ["model"]})
    seated = ada("PUT", f"{HOME}/members/ben", {"seat": "maintainer"})
    invited = ada("POST", f"{HOME}/invitations", {"role": "read"})

    assert made.status_code == HTTPStatus.CREATED
    assert joined.status_code == HTTPStatus.NO_CONTENT
    assert (given.json()["team"], given.json()["role"]) == (team["id"], "write")
    assert seated.json() == {"user": "ben", "seat": "maintainer"}
    assert "/join/" in invited.json()["link"]
    assert not invited.json()["is_mailed"]
    listed = ada("GET", f"{HOME}/teams/{team['id']}/members").json()
    assert [member["user"] for member in listed] == ["ben"]
    assert [one["id"] for one in ada("GET", grants).json()] == [given.json()["id"]]
    assert ada("DELETE", f"{grants}/{given.json()['id']}").status_code == HTTPStatus.NO_CONTENT
    assert ada("GET", grants).json() == []
    assert ada("DELETE", f"{HOME}/members/ben").status_code == HTTPStatus.NO_CONTENT
    assert [member["user"] for member in ada("GET", f"{HOME}/members").json()] == ["ada"]
    assert "link" not in ada("GET", f"{HOME}/invitations").json()[0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "members/ben", {"seat": "admin"}),
        ("DELETE", "members/ada", None),
        ("POST", "invitations", {"role": "admin"}),
        ("GET", "invitations", None),
        ("POST", "teams", {"name": "Ink"}),
        ("POST", "resource-groups", {"name": "Ink"}),
        ("GET", "resource-groups/1/grants", None),
        ("POST", "resource-groups/1/grants", {"user": "ben", "role": "admin"}),
    ],
)
def test_members_and_reading_tokens_run_nothing(
    cast: Cast, method: str, path: str, body: dict[str, object] | None
) -> None:
    callers = [Caller(cast.ben), Caller(cast.cleo)]
    if method != "GET":
        callers.append(Caller(cast.ada, "read"))

    for caller in callers:
        answer = caller(method, f"{HOME}/{path}", body)
        assert answer.status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    assert Client().generic(method, f"{HOME}/{path}").status_code == HTTPStatus.UNAUTHORIZED
    assert Membership.objects.get(user=cast.ben).label == "write"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("invitations", {"role": "emperor"}),
        ("invitations", {"role": "read", "email": "nowhere"}),
        ("teams", {"name": "\u202ekni"}),
        ("teams", {"name": "x" * 81}),
        ("teams", {}),
        ("resource-groups", {"name": 7, "description": "x" * 301}),
    ],
)
def test_what_cannot_be_is_refused_by_name(ada: Caller, path: str, body: dict[str, object]) -> None:
    answer = ada("POST", f"{HOME}/{path}", body)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer["Content-Type"] == "application/problem+json"


def test_a_grant_names_one_team_or_one_user(ada: Caller) -> None:
    group = ada("POST", f"{HOME}/resource-groups", {"name": "Secret"}).json()
    where = f"{HOME}/resource-groups/{group['id']}/grants"

    both: dict[str, object] = {"role": "read", "user": "ben", "team": 1}
    neither: dict[str, object] = {"role": "read"}
    for body in (neither, both):
        assert ada("POST", where, body).status_code == HTTPStatus.BAD_REQUEST
    assert ada("POST", where, {"role": "read", "user": "nobody"}).status_code == 404
    assert ada("POST", where, {"role": "read", "team": 2**61}).status_code == 404
