"""Discussions and pull requests by every release of the public client."""

import pytest

from tests.wire import clients
from tests.wire.clients import Client
from tests.wire.plain import Plain, file
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture(params=["model", "dataset", "space"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def talk(stories: Stories, client: Client, plain: Plain, kind: str) -> Facts:
    more = {"sdk": "static"} if kind == "space" else {}
    repo = plain.create(f"ada/talk-{client.slug}", kind, **more)
    return stories.tell(client, "discussions", who="cleo", repo=repo, kind=kind)


def test_a_discussion_is_opened_with_its_description(talk: Facts, kind: str) -> None:
    prefix = "" if kind == "model" else f"{kind}s/"

    assert talk["made"][:4] == ["A question", "open", "cleo", False]
    assert talk["url"] == f"/{prefix}{talk['made'][4]}/discussions/1"
    assert talk["first"] == [
        "Does it **run**?",
        "<p>Does it <strong>run</strong>?</p>\n",
        "comment",
    ]
    assert talk["no_changes"] == [None, None, None]


def test_comments_are_written_edited_and_hidden(talk: Facts) -> None:
    assert talk["said"] == ["Yes.", False, False, "cleo"]
    assert talk["edited"] == ["No.", True, 1, True]
    assert talk["before"] == "Yes."
    assert talk["hidden"] == [True, "This comment has been hidden"]


def test_title_and_status_change_and_all_of_it_is_told(talk: Facts) -> None:
    assert talk["renamed"] == ["A question", "A better question"]
    assert talk["ended"] == ["closed", "closed", "A better question"]
    assert talk["opened"] == "open"
    assert talk["types"] == ["comment", "comment", "title-change", "comment", "status-change"]


def test_lists_go_on_over_pages_and_are_filtered(talk: Facts) -> None:
    assert talk["all"] == [56, 55, "Number 54"]
    assert (talk["open"], talk["closed"], talk["pull_requests"]) == (55, 1, 0)
    assert (talk["of_me"], talk["of_nobody"]) == (56, 0)


def test_what_cannot_be_done_is_said(talk: Facts) -> None:
    assert_refused(talk["missing"], "HfHubHTTPError", 404, "no discussion 9999")
    assert_refused(talk["empty"], "HfHubHTTPError", 400, "comment must not be empty")
    assert_refused(talk["long"], "HfHubHTTPError", 400, "at most 200")
    assert_refused(talk["comment"], "HfHubHTTPError", 404, "no such comment")
    assert_refused(talk["same"], "HfHubHTTPError", 409, "cannot become open")
    assert_refused(talk["merge"], "HfHubHTTPError", 403)


@pytest.fixture
def proposed(stories: Stories, client: Client, plain: Plain) -> Facts:
    repo = f"ada/proposed-{client.slug}"
    plain.create(repo)
    assert plain.commit(repo, file("a.txt", "a\n")).status == 200
    return stories.tell(client, "proposals", who="cleo", repo=repo)


def test_a_reader_proposes_a_commit_with_small_and_large_files(proposed: Facts) -> None:
    assert proposed["commit"] == [True, True]
    assert proposed["is"] == ["Add weights", "open", True, "cleo", "refs/heads/main"]
    assert proposed["git_reference"]
    assert proposed["same"]
    assert proposed["main"] == [".gitattributes", "a.txt"]
    assert_refused(proposed["write"], "HfHubHTTPError", 403)


def test_a_pull_request_is_read_and_added_to_by_its_ref(proposed: Facts) -> None:
    assert proposed["text"] == "more\n"
    assert proposed["refs"]
    assert proposed["diff"]
    assert proposed["conflicts"] == []
    assert proposed["events"] == [
        ["comment", ""],
        ["commit", "Add weights"],
        ["commit", "Upload more.txt with huggingface_hub"],
    ]


def test_a_folder_is_proposed(proposed: Facts) -> None:
    assert proposed["folder"]


def test_a_pull_request_without_commits_is_a_draft(proposed: Facts) -> None:
    assert proposed["draft"] == ["draft", True, "", [".gitattributes", "a.txt"]]
    assert_refused(proposed["merge"], "HfHubHTTPError", 403)


@pytest.fixture
def merging(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "merging")


def test_pull_requests_are_merged(merging: Facts) -> None:
    fast, true = merging["fast"], merging["true"]

    assert (fast["status"], true["status"]) == ("merged", "merged")
    assert (fast["merged"], true["merged"]) == (40, 40)
    assert fast["events"] == ["commit", "comment", "status-change"]
    assert "+b\n" in fast["diff"]
    assert "+c\n" in true["diff"]
    assert merging["titles"][:3] == [
        "Upload a.txt with huggingface_hub",
        "Change c.txt (#2)",
        "Change b.txt",
    ]
    assert merging["texts"] == ["ours\n", "b\n", "c\n"]


def test_conflicts_are_listed_and_keep_it_from_being_merged(merging: Facts) -> None:
    assert merging["clash"]["conflicts"] == ["a.txt"]
    assert merging["clash"]["status"] == "open"
    assert_refused(merging["conflict"], "HfHubHTTPError", 409, "Conflicts: a.txt")
    assert merging["of_pr"][0] == "Change a.txt"


def test_what_is_over_stays_over(merging: Facts) -> None:
    assert_refused(merging["again"], "HfHubHTTPError", 409, "merged already")
    assert_refused(merging["add"], "HfHubHTTPError", 409, "nothing can be added")
    assert_refused(merging["stale"], "HfHubHTTPError", 412)
    assert_refused(merging["from_nothing"], "RevisionNotFoundError", 404)


def test_reactions_and_pins_are_told(plain: Plain) -> None:
    repo = plain.create("ada/reacted")
    talk = f"/api/models/{repo}/discussions"
    plain("POST", talk, {"title": "Why?", "description": "So."}, who="cleo")
    comment = plain("GET", f"{talk}/1").json["events"][0]["id"]
    reaction = f"{talk}/1/comment/{comment}/reaction"

    reacted = plain("POST", reaction, {"reaction": "🚀"}, who="cleo").json
    pinned = plain("POST", f"{talk}/1/pin", {"pinned": True})
    found = plain("GET", f"{talk}/1").json

    told = [{"reaction": "🚀", "users": ["cleo"], "count": 1}]
    assert reacted["updatedComment"]["data"]["reactions"] == told
    assert found["events"][0]["data"]["reactions"] == told
    assert (pinned.json, found["pinned"]) == ({"pinned": True}, True)
    assert plain("POST", f"{talk}/1/pin", {"pinned": True}, who="cleo").status == 403
    assert plain("POST", reaction, {"reaction": "x"}).status == 400
    gone = plain("DELETE", reaction, {"reaction": "🚀"}, who="cleo").json
    assert gone["updatedComment"]["data"]["reactions"] == []


def test_a_picture_is_uploaded_and_shown(stories: Stories, plain: Plain) -> None:
    repo = plain.create("ada/odd", private=True)

    told = stories.tell(clients.client(clients.OURS), "attachments", repo=repo)

    assert f'<img src="{told["address"]}"' in told["shown"]
    assert_refused(told["false"], "HfHubHTTPError", 400, "not what image/gif looks like")
    assert plain("GET", told["address"]).headers["Content-Type"] == "image/png"
    assert plain("GET", told["address"], who="cleo").status == 404
    body = b"\x89PNG\r\n\x1a\n"
    made = plain("POST", "/uploads", body, who="cleo", headers={"Content-Type": "image/png"})
    assert plain("GET", made.body.decode().removeprefix(plain.url), who="cleo").body == body
