"""Caches of the client: what is asked, what is fetched."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "downloads")


def test_a_file_is_fetched_once_and_again_when_it_changed(told: Facts) -> None:
    assert told["same_place"]
    assert told["texts"] == ["one", "two", "two"]
    bodies = [one for one in told["requests"] if one.startswith("GET") and "a.txt" in one]
    assert len(bodies) == 2, "the first text and the second; the local folder takes a copy"


def test_a_local_folder_holds_the_plain_file(told: Facts) -> None:
    assert told["local"] == "here/a.txt"


def test_absence_is_remembered_with_its_commit(told: Facts) -> None:
    assert_refused(told["absent"], "EntryNotFoundError", 404)
    assert told["remembered"] == ["absent.txt"]


def test_half_a_file_is_finished_by_a_range(told: Facts) -> None:
    assert told["resumed"]
    assert any("w.bin" in one and one.endswith(" 206") for one in told["requests"])
