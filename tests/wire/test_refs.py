"""Branches, tags and squashing."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "refs")


def test_a_branch_with_a_slash_is_written_and_read(told: Facts) -> None:
    assert told["on_branch"] == "on a/b"
    assert told["old_on_branch"] == "one"
    assert told["on_main"] is False


def test_branches_come_and_go(told: Facts) -> None:
    assert told["branches"] == ["a/b", "dev", "main"]
    assert told["left"] == ["dev", "main"]


def test_revisions_are_branches_and_commits_that_are_there(told: Facts) -> None:
    assert told["revisions"] == [True, True, False]


def test_a_branch_that_cannot_be_made_says_why(told: Facts) -> None:
    assert_refused(told["again"], "HfHubHTTPError", 409, "Reference refs/heads/dev already exists")
    assert_refused(told["from_nothing"], "RevisionNotFoundError", 404)
    assert_refused(told["bad_name"], "BadRequestError", 400, "Invalid reference for a branch")


def test_main_and_missing_branches_are_not_deleted(told: Facts) -> None:
    assert_refused(told["delete_main"], "HfHubHTTPError", 403, "Cannot delete refs/heads/main")
    assert_refused(told["delete_missing"], "HfHubHTTPError", 404, "Invalid rev id")


def test_an_upload_makes_no_branch(told: Facts) -> None:
    assert_refused(told["to_missing"], "RevisionNotFoundError", 404)


def test_tags_stay_where_they_were_put(told: Facts) -> None:
    assert told["tags"] == {"v/1": True, "v2": False}
    assert (told["at_tag"], told["info_at_tag"]) == ("one", True)


def test_a_tag_that_cannot_be_made_or_deleted_says_why(told: Facts) -> None:
    assert_refused(told["tag_again"], "HfHubHTTPError", 409)
    assert_refused(told["tag_of_nothing"], "RevisionNotFoundError", 404)
    assert_refused(told["delete_tag_again"], "RevisionNotFoundError", 404)


def test_a_squash_leaves_one_commit_with_the_same_files(told: Facts) -> None:
    assert told["squashed"] == [3, ["All in one"], True]
