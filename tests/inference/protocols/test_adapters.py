"""Adapters as they are named in calls and on lines of a form."""

from typing import Any

import pytest

from inference.errors import InputRejected
from inference.protocols.adapters import adapters_of, lines_of


def test_objects_and_lines_say_the_same() -> None:
    told = [
        {"repo": "ada/style", "revision": "v1", "weight": 0.5},
        {"repo": "ada/other"},
    ]

    read = adapters_of(told, "adapters")

    assert read == adapters_of("ada/style@v1 0.5\n\n ada/other \n", "adapters")
    assert read[1] == {"repo": "ada/other", "commit": "", "weight": 1.0}
    assert adapters_of(lines_of(read[:1]), "adapters") == read[:1]
    assert adapters_of(read, "adapters") == read


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        {"repo": "a/b"},
        [7],
        [{"weight": 1}],
        [{"repo": "a/b", "weight": "1"}],
        [{"repo": "a/b", "weight": True}],
        [{"repo": "a/b", "weight": float("nan")}],
        [{"repo": "a/b", "weight": 11}],
        [{"repo": "a/b", "revision": 1}],
        [{"repo": "a/b", "path": "../../x"}],
        [{"repo": "a/b"}, {"repo": "a/b", "weight": 0.5}],
        [{"repo": f"a/{number}"} for number in range(9)],
        "a/b much",
        "a/b 1 2",
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(InputRejected):
        adapters_of(wrong, "adapters")
