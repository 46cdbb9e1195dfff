"""Our own API for discussions and pull requests."""

from typing import Any

import pytest
from django.test import Client

from hub.models import Repo
from hub.names import EntryPath, RevisionName
from hub.services import commits, pull_requests
from hub.services.commits import Message, PutFile
from tests.cast import Cast, signed_in
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db
MAIN = RevisionName("main")


def at(repo: Repo, path: str = "") -> str:
    return f"/api/v1/repos/{repo.repo_kind.plural}/{repo}/discussions{path}"


def post(client: Client, url: str, **values: object) -> Any:
    return client.post(url, values, content_type="application/json")


def patch(client: Client, url: str, **values: object) -> Any:
    return client.patch(url, values, content_type="application/json")


def propose(cast: Cast, repo: Repo, text: bytes) -> int:
    return pull_requests.propose(
        repo=repo,
        branch=MAIN,
        operations=[PutFile(EntryPath("a.txt"), text)],
        message=Message("Better"),
        by=signed_in(cast.cleo),
    ).num


def test_a_discussion_is_opened_answered_changed_and_listed(cast: Cast) -> None:
    repo = cast.repo()
    cleo, ada = caller(cast.cleo), caller(cast.ada)

    opened = post(cleo, at(repo), title="A question", text="Why?")
    said = post(ada, at(repo, "/1/comments"), text="Because.")
    changed = patch(cleo, at(repo, "/1"), title="Answered", status="closed")

    assert (opened.status_code, said.status_code, changed.status_code) == (201, 201, 200)
    assert (opened.json()["number"], opened.json()["author"]) == (1, "cleo")
    assert (opened.json()["comments"], said.json()["html"]) == (1, "<p>Because.</p>\n")
    kinds = [event["kind"] for event in changed.json()["events"]]
    assert kinds == ["comment", "comment", "title-change", "status-change"]
    assert changed.json()["is_mergeable"] is None
    listed = Client().get(at(repo) + "?status=closed").json()
    assert (listed["count"], listed["next_start"]) == (1, None)
    assert listed["results"][0]["title"] == "Answered"


def test_a_pull_request_is_opened_looked_at_and_merged(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    opened = post(ada, at(repo), title="Draft", is_pull_request=True, target="main").json()
    num = propose(cast, repo, b"1")

    seen = ada.get(at(repo, f"/{num}")).json()
    stale = post(ada, at(repo, f"/{num}/merge"), head="1" * 40)
    merged = post(ada, at(repo, f"/{num}/merge"), text="Thanks")

    assert (opened["status"], opened["ref"]) == ("draft", "refs/pr/1")
    assert (seen["is_mergeable"], seen["conflicts"]) == (True, [])
    assert (stale.status_code, merged.status_code) == (412, 200)
    assert merged.json()["discussion"]["status"] == "merged"
    assert len(merged.json()["discussion"]["merge_commit"]) == 40


def test_conflicts_are_named(cast: Cast) -> None:
    repo, ada = cast.repo(), caller(cast.ada)
    num = propose(cast, repo, b"theirs")
    commits.commit(
        repo=repo,
        branch=MAIN,
        operations=[PutFile(EntryPath("a.txt"), b"ours")],
        message=Message("Ours"),
        by=signed_in(cast.ada),
    )

    seen, refused = ada.get(at(repo, f"/{num}")).json(), post(ada, at(repo, f"/{num}/merge"))

    assert seen["conflicts"] == ["a.txt"]
    assert (refused.status_code, refused.json()["conflicts"]) == (409, ["a.txt"])


def test_what_is_wrong_is_said_as_a_problem(cast: Cast) -> None:
    repo = cast.repo()
    cleo = caller(cast.cleo)
    post(cleo, at(repo), title="A question")

    answers = [
        post(cleo, at(repo), title="x" * 201),
        post(cleo, at(repo), title="x", is_pull_request=True, target="gone"),
        post(cleo, at(repo, "/1/comments"), text=""),
        post(cleo, at(repo, "/1/merge")),
        post(Client(), at(repo), title="x"),
        cleo.get(at(repo, "/9")),
        cleo.get(at(repo) + "?status=new"),
        cleo.get(at(repo) + "?start=x"),
        patch(cleo, at(repo, "/1"), status="merged"),
        patch(cleo, at(repo, "/1"), status="open"),
        patch(caller(cast.ben), at(repo, "/1"), title="Mine"),
    ]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [400, 404, 400, 403, 401, 404, 400, 400, 400, 409, 403]
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}


def test_a_hidden_repo_has_no_discussions(cast: Cast) -> None:
    hidden = cast.repo("ada/secret", private=True)

    assert caller(cast.cleo).get(at(hidden)).status_code == 404
    assert post(caller(cast.cleo), at(hidden), title="x").status_code == 404
