import json
from typing import Any

import pytest

from teams.http.json_answer import JsonAnswer


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"id": "acme/llama", "tags": ["de", "été"], "likes": 3, "gated": False, "sdk": None},
        {"more than 64 bits": 2**70},
        {"half a pair": "\ud800"},
        {"whole keys": {"1": 2}},
    ],
)
def test_any_json_value_comes_back_as_it_was(value: Any) -> None:
    answer = JsonAnswer(value)

    assert json.loads(answer.content) == value
    assert answer["Content-Type"] == "application/json"


def test_keys_of_yaml_that_are_no_text_become_text() -> None:
    assert json.loads(JsonAnswer({1: 2}).content) == {"1": 2}
