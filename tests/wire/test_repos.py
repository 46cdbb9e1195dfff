"""Repos: create, settings, move, duplicate, delete."""

import pytest

from tests.live import LiveServer
from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "repos")


def test_a_new_repo_has_an_address_and_one_commit(
    told: Facts, hub: LiveServer, client: Client
) -> None:
    assert told["url"] == f"{hub.url}/ada/made-{client.slug}"
    assert told["first_commit"] == ["initial commit"]
    assert told["first_files"] == [".gitattributes"]


def test_repos_are_public_unless_asked(told: Facts) -> None:
    assert told["private"] == [False, True]


def test_every_kind_and_an_organisation_may_hold_repos(told: Facts, client: Client) -> None:
    assert told["dataset"] == ["dataset", "ada"]
    assert told["space"] == "static"
    assert told["organisation"] == [f"acme/made-{client.slug}", "acme"]


def test_a_second_repo_of_that_name_is_a_conflict_unless_that_is_fine(told: Facts) -> None:
    assert_refused(told["again"], "HfHubHTTPError", 409, "You already created this model repo")
    assert told["exist_ok"] == told["url"]


def test_nobody_creates_in_a_namespace_that_is_not_there(told: Facts) -> None:
    assert_refused(told["no_namespace"], "HfHubHTTPError", 404)


def test_existence_is_told_to_whom_it_concerns(told: Facts) -> None:
    assert told["exists"] == [True, False]
    assert told["exists_nowhere_signed_out"] is False
    assert_refused(told["missing"], "RepositoryNotFoundError", 404)


def test_names_are_found_in_any_case(told: Facts, client: Client) -> None:
    assert told["mixed_case"] == f"ada/made-{client.slug}"


def test_settings_change_visibility_and_gate(told: Facts) -> None:
    assert told["settings"] == [True, "manual", False, False]


def test_a_move_to_a_taken_name_is_a_conflict(told: Facts) -> None:
    assert_refused(told["move_clash"], "HfHubHTTPError", 409, "A model repository called")


def test_the_old_name_still_serves_info_downloads_uploads_and_lists(told: Facts) -> None:
    assert told["old_name"] == [True, "before", True]
    assert told["old_name_listed"]


def test_a_duplicate_has_the_same_files(told: Facts) -> None:
    assert told["duplicate"] in (None, [True, True, 409])


def test_a_deleted_repo_is_missing_from_then_on(told: Facts) -> None:
    assert_refused(told["deleted"], "RepositoryNotFoundError", 404)
    assert_refused(told["check_gone"], "RepositoryNotFoundError", 404)
