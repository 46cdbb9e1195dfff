"""The list of large files, and deleting them for good."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "large_files")


def test_large_files_are_listed_with_where_they_stand(told: Facts) -> None:
    assert told["listed"] == [
        ["one.bin", 20_000, "refs/heads/main"],
        ["two.bin", 20_000, "refs/heads/main"],
    ]


def test_a_file_deleted_for_good_is_in_no_tree(told: Facts) -> None:
    assert told["left"] == ["two.bin"]
    assert told["files"] == [".gitattributes", "two.bin"]
    assert_refused(told["gone"], "EntryNotFoundError", 404)
