"""Cards through the client's own card classes."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "cards")


def test_a_card_is_pushed_and_loaded(told: Facts) -> None:
    assert told["loaded"] == ["mit", ["ours"], True]


def test_one_value_is_updated_and_the_others_kept(told: Facts) -> None:
    assert told["updated"] == ["image-classification", "timm", True]
    assert told["front_matter"]["tags"] == ["ours"]


def test_a_bad_licence_stops_the_upload(told: Facts) -> None:
    assert '"license" must be one of' in told["bad_push"]["says"]


def test_a_card_is_judged_without_an_upload(told: Facts) -> None:
    if told["bad"] is None:
        pytest.skip("this release asks huggingface.co, not its endpoint")
    assert told["good"]["status"] == 200
    assert '- Error: "license" must be one of' in told["bad"]["says"]
