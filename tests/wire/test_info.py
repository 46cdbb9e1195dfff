"""What a repo says of itself."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "info")


def test_info_tells_whose_it_is_and_where_it_stands(told: Facts, client: Client) -> None:
    assert (told["id"], told["author"]) == (f"ada/info-{client.slug}", "ada")
    assert (told["sha"], told["created"], told["order"]) == (True, True, True)
    assert told["flags"] == [False, False, False]
    assert told["counts"] == [0, 0]


def test_the_card_fills_task_library_and_tags(told: Facts) -> None:
    assert (told["pipeline_tag"], told["library"]) == ("text-classification", "transformers")
    assert {"license:mit", "en", "de", "weights", "dataset:ada/corpus"} <= set(told["tags"])
    assert told["card"]["base_model"] == "ada/base"


def test_files_come_with_their_sizes_when_asked(told: Facts) -> None:
    assert told["sizes"].keys() == {".gitattributes", "README.md", "d/e.txt", "w.bin"}
    assert (told["sizes"]["w.bin"], told["sizes"]["d/e.txt"]) == (1000, 1)
    assert told["lfs"] == [1000, 64, True]


def test_every_property_that_the_client_knows_may_be_asked(told: Facts, client: Client) -> None:
    assert told["asked"] > 20
    assert told["alone"] == []
    assert told["together"] == [f"ada/info-{client.slug}", "ada", "text-classification", False]


def test_only_what_was_asked_is_told(told: Facts) -> None:
    assert told["only"] is None


def test_an_unknown_property_is_refused_with_the_known_ones(told: Facts) -> None:
    assert_refused(told["unknown"], "BadRequestError", 400, 'expected one of "author"|')


def test_kinds_are_told_apart(told: Facts) -> None:
    assert (told["dataset"], told["space"]) == (True, "gradio")
    assert_refused(told["by_kind"], "RepositoryNotFoundError", 404)


def test_the_safety_of_files_may_be_asked(told: Facts) -> None:
    assert told["security"]
