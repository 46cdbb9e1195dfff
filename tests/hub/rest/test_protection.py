"""Rules on refs, statuses, approvals and promotions: the story of a change, and what is refused."""

from typing import Any

import pytest
from django.test import Client

from hub.errors import RefProtected
from hub.git.refs import RefUpdate
from hub.models import Event, Repo
from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.queries import history
from hub.services import commits, protection, pull_requests, refs, repos
from hub.services.commits import Message, PutFile
from hub.services.protection import RuleWish
from teams.roles import Role
from teams.services import organisations
from tests.cast import Cast, signed_in
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db
REPO = "/api/v1/repos/models/acme/tiny"
RULES = f"{REPO}/ref-rules"
MAIN = RevisionName("main")


@pytest.fixture
def repo(cast: Cast) -> Repo:
    """Ada is admin of its owner, Ben may write."""
    return cast.repo("acme/tiny")


@pytest.fixture
def ada(cast: Cast, repo: Repo) -> Client:
    return caller(cast.ada)


@pytest.fixture
def ben(cast: Cast, repo: Repo) -> Client:
    return caller(cast.ben)


def put(client: Client, path: str, body: Any) -> Any:
    return client.put(path, body, content_type="application/json")


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, {} if body is None else body, content_type="application/json")


def protect(client: Client, kind: str = "branch", pattern: str = "main", **more: Any) -> int:
    answer = put(client, RULES, {"kind": kind, "pattern": pattern, **more})
    assert answer.status_code == 200, answer.content
    number: int = answer.json()["id"]
    return number


def land(repo: Repo, cast: Cast, text: str = "x", on: RevisionName = MAIN) -> bytes:
    return commits.commit(
        repo=repo,
        branch=on,
        operations=[PutFile(EntryPath("a.txt"), text.encode())],
        message=Message("a change"),
        by=signed_in(cast.ben),
    )


def head_of(repo: Repo, revision: str = "main") -> str:
    return history.resolve(repo, RevisionName(revision)).oid.hex()


def proposed(repo: Repo, cast: Cast, text: str = "better") -> str:
    """Ben opens a pull request; answer its head."""
    made = pull_requests.propose(
        repo=repo,
        branch=MAIN,
        operations=[PutFile(EntryPath("b.txt"), text.encode())],
        message=Message("Better"),
        by=signed_in(cast.ben),
    )
    assert made.head is not None
    return bytes(made.head).hex()


def merge(client: Client, num: int = 1) -> Any:
    return post(client, f"/api/models/acme/tiny/discussions/{num}/merge")


def scopes(repo: Repo) -> list[str]:
    return [f"{event.scope}.{event.action}" for event in Event.objects.filter(repo_id=repo.pk)]


def test_a_change_needs_its_check_and_its_approval_then_merges(
    cast: Cast, repo: Repo, ada: Client, ben: Client
) -> None:
    protect(ada, needs_pull_request=True, needed_approvals=1, needed_checks=["ci/weights"])
    with pytest.raises(RefProtected, match="changes by pull requests alone"):
        land(repo, cast)
    head = proposed(repo, cast)
    status = f"{REPO}/statuses/{head}"

    assert "0 of the 1 approvals" in merge(ada).json()["error"]
    own = post(ben, f"{REPO}/pull-requests/1/approvals")
    assert (own.status_code, own.json()["status"]) == (403, 403)
    assert post(ada, f"{REPO}/pull-requests/1/approvals", {"head": head[:8]}).status_code == 201
    assert "ci/weights is not reported" in merge(ada).json()["error"]
    post(ben, status, {"state": "failure", "context": "ci/weights"})
    refused = merge(ada)
    assert (refused.status_code, "is failure" in refused.json()["error"]) == (403, True)
    post(ben, status, {"state": "success", "context": "ci/weights"})

    assert merge(ada).status_code == 200
    assert head_of(repo) == head
    assert scopes(repo)[-5:] == [
        "discussion.approval.create",
        "repo.status.update",
        "repo.status.update",
        "repo.content.update",
        "discussion.update",
    ]


def test_what_is_added_to_a_pull_request_is_not_approved_with_it(
    cast: Cast, repo: Repo, ada: Client
) -> None:
    protect(ada, needed_approvals=1)
    proposed(repo, cast)
    post(ada, f"{REPO}/pull-requests/1/approvals")
    land(repo, cast, on=RevisionName("refs/pr/1"))

    assert "0 of the 1 approvals" in merge(ada).json()["error"]
    assert ada.get(f"{REPO}/pull-requests/1/approvals").json() == []
    post(ada, f"{REPO}/pull-requests/1/approvals")
    ada.delete(f"{REPO}/pull-requests/1/approvals")
    assert merge(ada).status_code == 403
    assert post(ada, f"{REPO}/pull-requests/1/approvals", {"head": "0000"}).status_code == 412


def test_a_tag_is_promoted_by_a_second_person(
    cast: Cast, repo: Repo, ada: Client, ben: Client
) -> None:
    first = head_of(repo)
    protect(ada, "tag", "production", needed_approvals=1, keeps_history=False)
    direct = post(ben, "/api/models/acme/tiny/tag/main", {"tag": "production"})
    assert (direct.status_code, "promotions" in direct.json()["error"]) == (403, True)

    asked = post(ben, f"{REPO}/promotions", {"tag": "production", "revision": "main"}).json()
    one = f"{REPO}/promotions/{asked['id']}"
    own = post(ben, f"{one}/approve")
    assert (own.status_code, own.json()["detail"][:16]) == (403, "A second person ")
    twice = post(ben, f"{REPO}/promotions", {"tag": "production", "revision": "main"})
    done = post(ada, f"{one}/approve").json()

    assert (asked["status"], asked["old"], twice.status_code) == ("open", None, 409)
    assert (done["status"], done["approved_by"], done["new"]) == ("done", ["ada"], first)
    assert head_of(repo, "production") == first
    assert post(ada, f"{one}/approve").status_code == 409
    moved = Event.objects.filter(repo_id=repo.pk).order_by("-pk")[:2]
    assert [event.scope for event in moved] == ["repo.promotion", "repo.content"]

    land(repo, cast)
    again = post(ben, f"{REPO}/promotions", {"tag": "production", "revision": "main"}).json()
    assert again["old"] == first
    assert post(ben, f"{REPO}/promotions/{again['id']}/refuse").json()["status"] == "refused"
    assert head_of(repo, "production") == first
    listed = ben.get(f"{REPO}/promotions?tag=production&limit=1").json()
    assert [one["id"] for one in listed] == [again["id"]]
    assert ben.get(f"{REPO}/promotions?before={again['id']}").json()[0]["id"] == asked["id"]


def test_a_promotion_without_a_rule_is_done_at_once(repo: Repo, ben: Client) -> None:
    answer = post(ben, f"{REPO}/promotions", {"tag": "staging", "revision": "main", "note": "ok"})

    assert (answer.status_code, answer.json()["status"]) == (201, "done")
    assert head_of(repo, "staging") == head_of(repo)
    same = post(ben, f"{REPO}/promotions", {"tag": "staging", "revision": "main"})
    assert same.status_code == 409


def test_a_tag_that_moved_meanwhile_is_not_promoted(
    cast: Cast, repo: Repo, ada: Client, ben: Client
) -> None:
    number = protect(ada, "tag", "production", needed_approvals=1, keeps_history=False)
    asked = post(ben, f"{REPO}/promotions", {"tag": "production", "revision": "main"}).json()
    ada.delete(f"{RULES}/{number}")
    refs.create_tag(
        repo=repo,
        tag=RevisionName("production"),
        target=history.resolve(repo, MAIN),
        message="",
        by=cast.ada,
    )

    late = post(ada, f"{REPO}/promotions/{asked['id']}/approve")

    assert late.status_code == 412
    assert ada.get(f"{REPO}/promotions").json()[0]["status"] == "open"


def test_only_those_who_are_named_or_of_rank_move_a_branch(
    cast: Cast, repo: Repo, ada: Client
) -> None:
    protect(ada, least_role="admin")
    with pytest.raises(RefProtected, match="not among those"):
        land(repo, cast)

    protect(ada, least_role="admin", movers=["ben"])

    land(repo, cast)
    assert ada.get(RULES).json()[0]["movers"] == ["ben"]


def test_history_is_kept_and_deletion_refused_while_a_rule_holds(
    cast: Cast, repo: Repo, ada: Client
) -> None:
    release = RevisionName("release/1")
    refs.create_branch(repo=repo, branch=release, start=history.resolve(repo, MAIN), by=cast.ada)
    land(repo, cast, on=release)
    number = protect(ada, "branch", "release/*")

    with pytest.raises(RefProtected, match="history may not be rewritten"):
        refs.squash(repo=repo, branch=release, message="one", by=cast.ada)
    with pytest.raises(RefProtected, match="may not be deleted"):
        refs.delete_branch(repo=repo, branch=release, by=cast.ada)
    assert ada.delete(f"{RULES}/{number}").status_code == 204

    refs.squash(repo=repo, branch=release, message="one", by=cast.ada)
    refs.delete_branch(repo=repo, branch=release, by=cast.ada)
    assert not Repo.objects.get(pk=repo.pk).is_guarded


def test_a_fixed_tag_stays_where_it_was_put(cast: Cast, repo: Repo, ada: Client) -> None:
    protect(ada, "tag", "v*", forbids_deletion=True)
    head = history.resolve(repo, MAIN)
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=head, message="One", by=cast.ben)

    moved = RefUpdate("refs/tags/v1", head.oid, b"\1" * 20)
    with pytest.raises(RefProtected, match="may not be moved"):
        protection.check_moves(repo, [moved], by=cast.ada)
    with pytest.raises(RefProtected, match="may not be deleted"):
        refs.delete_tag(repo=repo, tag=RevisionName("v1"), by=cast.ada)


def test_a_star_reaches_no_further_than_a_slash_and_other_refs_are_free(
    cast: Cast, repo: Repo, ada: Client
) -> None:
    protect(ada, pattern="*", least_role="admin")

    assert len(protection.rules_on(repo, "refs/heads/dev")) == 1
    assert protection.rules_on(repo, "refs/heads/dev/ben") == []
    assert protection.rules_on(repo, "refs/tags/dev") == []
    proposed(repo, cast)


def test_the_hub_itself_is_bound_by_no_rule(cast: Cast, repo: Repo, ada: Client) -> None:
    protect(ada, least_role="admin", needs_pull_request=True)

    refs.squash(repo=repo, branch=MAIN, message="one", by=None)


def test_a_tag_with_a_message_needs_the_checks_of_its_commit(
    cast: Cast, repo: Repo, ada: Client
) -> None:
    protect(ada, "tag", "v*", needed_checks=["ci"])
    head, v1 = history.resolve(repo, MAIN), RevisionName("v1")
    with pytest.raises(RefProtected, match="the check ci is not reported"):
        refs.create_tag(repo=repo, tag=v1, target=head, message="One", by=cast.ben)

    post(ada, f"{REPO}/statuses/main", {"state": "success", "context": "ci"})

    refs.create_tag(repo=repo, tag=v1, target=head, message="One", by=cast.ben)


def test_writers_may_not_change_the_rules_that_bind_them(
    cast: Cast, repo: Repo, ada: Client, ben: Client
) -> None:
    number = protect(ada)

    assert put(ben, RULES, {"kind": "branch", "pattern": "main"}).status_code == 403
    assert ben.delete(f"{RULES}/{number}").status_code == 403
    assert ben.get(RULES).status_code == 200
    assert put(Client(), RULES, {"kind": "branch", "pattern": "x"}).status_code == 401


def test_statuses_come_to_the_worst_of_them(cast: Cast, repo: Repo, ben: Client) -> None:
    where = f"{REPO}/statuses/main"
    assert ben.get(where).json()["state"] == "pending"
    for context, state in (("a", "success"), ("b", "pending"), ("c", "failure")):
        url = f"https://ci.example.org/{context}"
        body = {"state": state, "context": context, "target_url": url, "description": "Seen"}
        assert post(ben, where, body).status_code == 201

    told = ben.get(where).json()

    assert (told["state"], told["commit"]) == ("failure", head_of(repo))
    assert [one["context"] for one in told["statuses"]] == ["a", "b", "c"]
    assert told["statuses"][0]["reported_by"] == "ben"
    post(ben, where, {"state": "success", "context": "c"})
    assert ben.get(where).json()["state"] == "pending"


@pytest.mark.parametrize(
    "body",
    [
        {"state": "great"},
        {},
        {"state": "success", "context": "x" * 101},
        {"state": "success", "context": ""},
        {"state": "success", "target_url": "javascript:alert(1)"},
        {"state": "success", "target_url": "https://"},
        {"state": "success", "description": "x" * 201},
        {"state": "success", "context": "a\u0000b"},
    ],
)
def test_a_status_that_cannot_be_is_refused(repo: Repo, ben: Client, body: dict[str, str]) -> None:
    answer = post(ben, f"{REPO}/statuses/main", body)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert ben.get(f"{REPO}/statuses/main").json()["statuses"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"pattern": "main"},
        {"kind": "note", "pattern": "main"},
        {"kind": "branch", "pattern": ""},
        {"kind": "branch", "pattern": "/main"},
        {"kind": "branch", "pattern": "main", "least_role": "read"},
        {"kind": "branch", "pattern": "main", "needed_approvals": 7},
        {"kind": "tag", "pattern": "v*", "needs_pull_request": True},
        {"kind": "tag", "pattern": "v*", "needed_approvals": 1},
        {"kind": "branch", "pattern": "main", "needed_checks": ["x"] * 21},
    ],
)
def test_a_rule_that_cannot_be_is_refused(repo: Repo, ada: Client, body: dict[str, Any]) -> None:
    assert put(ada, RULES, body).status_code == 400
    assert ada.get(RULES).json() == []


def test_strangers_learn_nothing_of_a_hidden_repo(cast: Cast, repo: Repo, ada: Client) -> None:
    Repo.objects.filter(pk=repo.pk).update(visibility="private")
    cleo = caller(cast.cleo)

    for path in ("ref-rules", "promotions", "statuses/main"):
        assert cleo.get(f"{REPO}/{path}").status_code == 404
    assert put(ada, RULES, {"kind": "branch", "pattern": "m", "movers": ["x"]}).status_code == 404


def test_readers_report_and_promote_nothing(cast: Cast, repo: Repo) -> None:
    organisations.change_role(organisation=cast.acme, user=cast.cleo, role=Role.READ, by=None)
    cleo = caller(cast.cleo)

    assert post(cleo, f"{REPO}/statuses/main", {"state": "success"}).status_code == 403
    asked = post(cleo, f"{REPO}/promotions", {"tag": "production", "revision": "main"})
    assert asked.status_code == 403


def test_a_contributor_moves_what_they_created_as_far_as_rules_let_them(cast: Cast) -> None:
    organisations.change_role(
        organisation=cast.acme, user=cast.cleo, role=Role.CONTRIBUTOR, by=None
    )
    own = repos.create(kind=RepoKind.MODEL, name=RepoName("acme", "own"), by=signed_in(cast.cleo))
    wish = RuleWish(kind="branch", pattern="main")
    protection.set_rule(repo=own, wish=wish, by=signed_in(cast.ada))

    commits.commit(
        repo=own,
        branch=MAIN,
        operations=[PutFile(EntryPath("a.txt"), b"a")],
        message=Message("a change"),
        by=signed_in(cast.cleo),
    )


def test_a_branch_that_wants_a_review_is_not_deleted_to_go_around_it(
    cast: Cast, repo: Repo, ada: Client
) -> None:
    dev = RevisionName("dev")
    refs.create_branch(repo=repo, branch=dev, start=history.resolve(repo, MAIN), by=cast.ada)
    protect(ada, pattern="dev", forbids_deletion=False, needs_pull_request=True)

    with pytest.raises(RefProtected, match="may not be deleted"):
        refs.delete_branch(repo=repo, branch=dev, by=cast.ada)


def test_writers_neither_delete_a_guarded_repo_nor_its_files_for_good(
    cast: Cast, repo: Repo, ada: Client, ben: Client
) -> None:
    protect(ada, "tag", "v*")
    ours = {"name": "tiny", "organization": "acme"}
    gone = {"deletions": {"sha": ["0" * 64], "rewriteHistory": False}}

    by_name = ben.delete("/api/repos/delete", ours, content_type="application/json")
    files = post(ben, "/api/models/acme/tiny/lfs-files/batch", gone)

    assert (by_name.status_code, files.status_code) == (403, 403)
    assert post(ada, "/api/models/acme/tiny/lfs-files/batch", gone).status_code == 200
    by_admin = ada.delete("/api/repos/delete", ours, content_type="application/json")
    assert by_admin.status_code == 200
