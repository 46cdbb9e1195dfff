"""A hidden repo answers as a missing one, byte for byte, on every route that names a repo."""

import re

import pytest

from hub.names import RepoKind
from tests.wire.plain import Answer, Plain
from tests.wire.routes import RepoRoute, repo_routes

pytestmark = pytest.mark.wire

HIDDEN, ABSENT = "ada/hidden-thing", "ada/absent-thing"
MOMENTARY = {"date", "x-request-id"}
CSRF = re.compile(rb"\b[A-Za-z0-9]{64}\b")
"""Each page has a new secret for its forms, and sets it as a cookie."""


@pytest.fixture(params=["", "cleo"], ids=["nobody", "stranger"])
def who(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def outside(plain: Plain) -> Plain:
    """The door, with a hidden repo of each kind behind it."""
    for kind in RepoKind:
        plain.create(HIDDEN, kind, visibility="private", sdk="static")
    return plain


def _seen(answer: Answer, name: str) -> tuple[object, ...]:
    """All that a caller sees, but for the name that it gave itself."""
    headers = [(k.lower(), v.replace(name, "")) for k, v in answer.headers.items()]
    kept = sorted((k, _cookie(v) if k == "set-cookie" else v) for k, v in headers)
    body = CSRF.sub(b"", answer.body.replace(name.encode(), b""))
    return answer.status, [(k, v) for k, v in kept if k not in MOMENTARY], body


def _cookie(text: str) -> str:
    """A cookie without its value and its date, which are new each time."""
    return re.sub(r"=[^;]*|expires=[^;]*", "", text)


def _tells_apart(outside: Plain, who: str, route: RepoRoute) -> bool:
    body: dict[str, object] | None = None if route.method in {"GET", "HEAD"} else {}
    answers = {
        name: outside(route.method, route.target(name), body, who=who) for name in (HIDDEN, ABSENT)
    }
    hidden, absent = (_seen(answer, name) for name, answer in answers.items())
    return hidden != absent or answers[HIDDEN].status not in {302, 401, 403, 404}


def test_hidden_and_missing_are_the_same_on_every_route(outside: Plain, who: str) -> None:
    routes = list(repo_routes())

    assert len(routes) > 150
    assert [str(route) for route in routes if _tells_apart(outside, who, route)] == []


@pytest.mark.parametrize(
    ("method", "target", "key"),
    [
        ("DELETE", "/api/repos/delete", "name"),
        ("POST", "/api/repos/move", "fromRepo"),
    ],
)
def test_hidden_and_missing_are_the_same_in_a_body(
    outside: Plain, who: str, method: str, target: str, key: str
) -> None:
    seen = [
        _seen(outside(method, target, {key: name, "toRepo": "cleo/x"}, who=who), name)
        for name in (HIDDEN, ABSENT)
    ]

    assert seen[0] == seen[1]
    assert seen[0][0] in {401, 404}


def test_a_copy_into_a_hidden_repo_reads_like_one_into_nothing(outside: Plain) -> None:
    outside.create("ada/open-thing")
    target = "/api/models/ada/open-thing/lfs-files/duplicate"
    bodies = ({"target": {"name": name}, "files": []} for name in (HIDDEN, ABSENT))

    hidden, absent = (outside("POST", target, body, who="cleo") for body in bodies)

    assert hidden.status == 404
    assert _seen(hidden, HIDDEN) == _seen(absent, ABSENT)
