"""Lists through the client: exactly the right models of a thousand."""

from collections.abc import Callable

import pytest

from tests.live import LiveServer
from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories
from tests.wire.thousand import MODELS, Model

pytestmark = pytest.mark.wire


@pytest.fixture(scope="session")
def thousand(hub: LiveServer) -> None:
    hub.manage("shell", "-c", "from tests.wire.make_thousand import make; make()")


@pytest.fixture
def told(stories: Stories, client: Client, thousand: None) -> Facts:
    return stories.tell(client, "lists")


def _ada_sees(fits: Callable[[Model], bool]) -> list[str]:
    """Ada owns hers and those of the organisation; Cleo's hidden ones are not for her."""
    return sorted(
        model.id
        for model in MODELS
        if fits(model) and not (model.is_hidden and model.author == "cleo")
    )


def test_every_model_is_listed_once_over_all_pages(told: Facts) -> None:
    assert sorted(told["all"]) == _ada_sees(lambda _: True)
    assert sorted(told["signed_out"]) == sorted(m.id for m in MODELS if not m.is_hidden)


def test_search_and_author_find_exactly_theirs(told: Facts) -> None:
    assert sorted(told["search"]) == _ada_sees(lambda model: model.word == "ibis")
    assert sorted(told["author"]) == _ada_sees(lambda model: model.author == "acme")
    assert told["nothing"] == []


def test_tasks_and_tags_find_exactly_theirs(told: Facts) -> None:
    assert sorted(told["task"]) == _ada_sees(lambda model: model.task == "fill-mask")
    assert sorted(told["license"]) == _ada_sees(lambda model: model.license == "mit")
    assert sorted(told["both"]) == _ada_sees(
        lambda model: (model.license, model.task, model.author) == ("mit", "fill-mask", "cleo")
    )


def test_gated_models_are_told_apart(told: Facts) -> None:
    assert told["gated"] == []
    assert told["not_gated"] == len(_ada_sees(lambda _: True))


def test_a_limit_cuts_the_list(told: Facts) -> None:
    assert len(told["limit"]) == 7
    newest = [model.id for model in reversed(MODELS) if model.id in told["all"]]
    assert told["by_creation"] == newest[:3]


def test_every_order_falls(told: Facts) -> None:
    assert told["sorts"] == {"created_at": True, "last_modified": True, "likes": True}


def test_lists_are_short_unless_more_is_asked(told: Facts) -> None:
    assert told["plain"] == [None, None]
    assert told["full"] == [40, [".gitattributes", "README.md"]]
    assert told["card"] == ["text-to-image", "mit"]
    assert told["expanded"] == [0, True, None]


def test_datasets_and_spaces_are_listed_by_what_they_say(told: Facts, client: Client) -> None:
    assert told["datasets"] == [f"ada/listed-data-{client.slug}"]
    assert (told["by_language"], told["by_task"]) == (True, True)
    assert told["spaces"] == [f"ada/listed-space-{client.slug}"]
    assert f"ada/listed-space-{client.slug}" in told["found_spaces"]


def test_tags_in_use_are_told_by_type(told: Facts) -> None:
    assert {"license", "pipeline_tag"} <= set(told["tags"])
    assert isinstance(told["dataset_tags"], list)
