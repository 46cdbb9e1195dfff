"""Collections, by every release of the client."""

import pytest

from tests.wire.clients import Client
from tests.wire.plain import Plain
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client, plain: Plain) -> Facts:
    model = plain.create(f"ada/liked-{client.slug}")
    dataset = plain.create(f"ada/liked-{client.slug}", "dataset")
    return stories.tell(client, "collections", model=model, dataset=dataset)


def test_a_collection_is_begun_once_and_renamed(told: Facts) -> None:
    made = told["made"]

    assert (told["owner"], made["description"], made["private"]) == ("ada", "What we like", False)
    assert told["is_the_same"]
    assert told["changed"] == made | {
        "title": f"{made['title']}, really",
        "private": True,
        "theme": "pink",
    }
    assert told["slug_follows"]


def test_its_items_are_added_noted_moved_and_removed(told: Facts, client: Client) -> None:
    name = f"ada/liked-{client.slug}"
    model, dataset = ["model", name, "small"], ["dataset", name, None]

    assert told["filled"] == [model, dataset, ["paper", "2311.12983", None]]
    assert (told["twice"], told["conflict"]) == (3, True)
    assert told["ordered"] == [["paper", "2311.12983", "read first"], model, dataset]
    assert told["emptied"] == told["ordered"][:-1]


def test_it_is_listed_by_owner_and_item(told: Facts) -> None:
    assert (told["is_listed"], told["positions"]) == (True, [0])
