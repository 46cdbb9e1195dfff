"""What OpenAI's clients may send, and what nobody's client would."""

import base64
from typing import Any

import pytest
from PIL import Image

from inference.errors import InputRejected
from inference.protocols.openai import MOST_MIXED, embeddings_asked, images_asked
from tests.inference.ml import png

PICTURE = f"data:image/png;base64,{base64.b64encode(png(Image.new('RGB', (8, 8)))).decode()}"


@pytest.mark.parametrize(
    "wrong",
    [{"size": [64, 64]}, {"size": {}}, {"response_format": ["url"]}, {"n": "2"}, {"n": 11}],
)
def test_values_of_another_kind_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputRejected):
        images_asked({"prompt": "a", **wrong})


def test_pictures_among_texts_are_calls_of_their_own_up_to_a_bound() -> None:
    assert len(embeddings_asked({"input": ["a", PICTURE, "b"]})) == 3

    with pytest.raises(InputRejected, match="at most"):
        embeddings_asked({"input": [PICTURE] + ["a"] * MOST_MIXED})


def test_texts_alone_are_one_call() -> None:
    assert len(embeddings_asked({"input": ["a"] * 100})) == 1
