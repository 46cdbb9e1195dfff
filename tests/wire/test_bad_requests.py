"""Requests that no client should send, and how each refusal is spoken."""

import pytest

from tests.wire.plain import Plain, assert_error, file

pytestmark = pytest.mark.wire

FORGED = [
    "Bearer hf_" + "x" * 34,
    "Bearer ",
    "Bearer \u00fc".encode().decode("latin-1"),
    "Basic !!!",
    "Basic YWRhOmhmX25vdGhpbmc=",
    "Digest x",
    "nothing at all",
]


@pytest.fixture
def repo(plain: Plain) -> str:
    name = plain.create("ada/bad-requests")
    plain.commit(name, file("a.txt", "text"))
    return name


@pytest.mark.parametrize("header", FORGED)
def test_a_forged_token_is_told_to_be_invalid(plain: Plain, repo: str, header: str) -> None:
    for target in ("/api/whoami-v2", f"/api/models/{repo}", f"/{repo}/resolve/main/a.txt"):
        answer = plain("GET", target, who="", headers={"Authorization": header})

        assert_error(answer, 401)
        assert answer.headers["X-Error-Message"] == "Invalid credentials in Authorization header"


@pytest.mark.parametrize(
    "target",
    ["/api/nothing", "/api/models/a/b/nothing", "/api/", "/v1/nothing", "/api/repos/create/"],
)
def test_an_unknown_endpoint_answers_in_json(plain: Plain, target: str) -> None:
    for method in ("GET", "POST"):
        answer = plain(method, target, {} if method == "POST" else None)

        assert answer.status == 404
        assert answer.json["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff\xff", b"[" * 100_000])
@pytest.mark.parametrize(
    "target",
    [
        "/api/repos/create",
        "/api/validate-yaml",
        "/api/models/ada/bad-requests/preupload/main",
        "/api/models/ada/bad-requests/branch/x",
        "/ada/bad-requests.git/info/lfs/objects/batch",
    ],
)
def test_a_body_that_is_no_json_object_is_a_bad_request(
    plain: Plain, repo: str, target: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}

    assert_error(plain("POST", target, body, headers=headers), 400)


@pytest.mark.parametrize(
    "body",
    [
        {"name": 5},
        {"name": None},
        {"name": "a/b/c"},
        {"name": "a b"},
        {"name": "x" * 200},
        {"name": "ada/x..y"},
        {"name": "ada/x.git"},
        {"name": "ada/x", "type": "boat"},
        {"name": "ada/x", "visibility": "secret"},
        {"name": "ada/x", "private": "yes"},
        {"name": "ada/x\x00"},
    ],
)
def test_a_repo_that_cannot_be_is_a_bad_request(plain: Plain, body: dict[str, object]) -> None:
    assert_error(plain("POST", "/api/repos/create", body), 400)


def test_a_body_beyond_the_limit_is_too_large(plain: Plain) -> None:
    body = b'{"name": "' + b"x" * (17 * 2**20) + b'"}'

    assert_error(plain("POST", "/api/repos/create", body), 413)


def test_wrong_methods_are_told_in_json(plain: Plain, repo: str) -> None:
    answer = plain("DELETE", f"/api/models/{repo}/refs")

    assert answer.status == 405
    assert isinstance(answer.json, dict)


@pytest.mark.parametrize("name", ["..", "a..b", "a b", "a~1", "refs/heads/x.lock"])
def test_an_impossible_revision_is_not_found(plain: Plain, repo: str, name: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())

    answer = plain("GET", f"/api/models/{repo}/revision/{quoted}")

    assert_error(answer, 404, "RevisionNotFound")


def test_nul_and_broken_quoting_in_targets_are_refused(plain: Plain, repo: str) -> None:
    for target in (
        f"/{repo}/resolve/main/a%00b",
        f"/{repo}/resolve/main/%FF%FE",
        "/api/models/%zz",
    ):
        answer = plain("GET", target)

        assert 400 <= answer.status < 500
        assert answer.json["error"]


def test_commits_of_nobody_are_refused_before_the_body_is_read(plain: Plain, repo: str) -> None:
    answer = plain("POST", f"/api/models/{repo}/commit/main", b"not json", who="")

    assert_error(answer, 401)


def test_a_reading_token_does_not_write(plain: Plain, repo: str, reading_token: str) -> None:
    headers = {"Authorization": f"Bearer {reading_token}"}

    answer = plain("POST", f"/api/models/{repo}/branch/x", {}, who="", headers=headers)

    assert_error(answer, 403)
