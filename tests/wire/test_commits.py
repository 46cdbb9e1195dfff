"""Commits, trees and histories."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire

FILES = [
    ".gitattributes",
    "copies/three.txt",
    "copies/w.bin",
    "keep/four.txt",
    "keep/three.txt",
    "w.bin",
]


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "commits")


def test_one_commit_adds_deletes_and_copies(told: Facts) -> None:
    assert told["files"] == FILES
    assert (told["copied"], told["copied_text"]) == (True, "3")


def test_an_old_commit_still_has_its_files(told: Facts) -> None:
    assert (told["old_commit"], told["short_commit"]) == ("1", True)


def test_a_commit_that_changes_nothing_is_none(told: Facts) -> None:
    assert told["nothing_new"]


def test_history_is_told_newest_first_with_its_author(told: Facts) -> None:
    assert told["titles"] == ["Everything at once", "Five", "initial commit"]
    assert (told["body"], told["authors"]) == ("and a body", ["ada"])


def test_a_stale_parent_is_refused(told: Facts) -> None:
    assert_refused(told["stale"], "HfHubHTTPError", 412, "The branch was updated since you opened")


def test_deleting_what_is_not_there_is_refused(told: Facts) -> None:
    assert_refused(
        told["delete_missing"], "EntryNotFoundError", 404, "A file with this name doesn't exist"
    )


def test_each_missing_thing_has_its_own_error(told: Facts) -> None:
    assert_refused(told["missing_entry"], "EntryNotFoundError", 404)
    assert_refused(told["missing_revision"], "RevisionNotFoundError", 404)
    assert_refused(told["missing_repo"], "RepositoryNotFoundError", 404)
    assert_refused(told["missing_tree"], "EntryNotFoundError", 404)
    assert told["exists"] == [True, False]


def test_refused_commits_leave_no_trace(told: Facts) -> None:
    assert told["untouched"] == FILES


def test_a_tree_is_listed_by_folder_and_whole(told: Facts) -> None:
    assert told["top"] == {
        ".gitattributes": "RepoFile",
        "copies": "RepoFolder",
        "keep": "RepoFolder",
        "w.bin": "RepoFile",
    }
    assert told["below"] == ["keep/four.txt", "keep/three.txt"]
    assert told["deep"] == sorted([*FILES, "copies", "keep"])


def test_last_commits_come_only_when_asked_for(told: Facts) -> None:
    assert told["unexpanded"]
    assert told["last_commits"]["keep"] == "Everything at once"
    assert told["last_commits"]["keep/three.txt"] == "Five"
    assert told["last_commits"][".gitattributes"] == "initial commit"


def test_entries_are_found_by_path_and_unknown_ones_left_out(told: Facts) -> None:
    assert told["found"] == ["keep", "w.bin"]
    assert told["large"] == [40_000, 64]


def test_ids_of_small_files_are_those_of_git(told: Facts) -> None:
    assert told["blob_id"] == "e440e5c842586965a7fb77deda2eca68612b1f53"
