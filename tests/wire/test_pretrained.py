"""What people do first: from_pretrained and the weights behind it."""

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client) -> Facts:
    return stories.tell(client, "pretrained")


def test_a_configuration_is_loaded_by_the_name_of_its_repo(told: Facts) -> None:
    assert told["config"] == ["bert", 32, ["BertModel"]]


def test_weights_are_loaded_as_they_were_saved(told: Facts) -> None:
    assert told["weights"] == [[100, 32], 3200.0]


def test_the_hub_has_read_the_headers_of_the_weights(told: Facts) -> None:
    assert told["safetensors"] == [3200, {"F32": 3200}]
    assert told["read_at_commit"] == ["transformers", "bert"]


def test_a_client_reads_the_headers_by_ranges(told: Facts) -> None:
    assert told["metadata"] == [False, {"F32": 3200}]
    assert told["sharded"] == {"sharded": [True, True], "count": [{"F32": 32}] * 2}


def test_an_unknown_revision_is_told(told: Facts) -> None:
    assert told["never"] == ["OSError"]
