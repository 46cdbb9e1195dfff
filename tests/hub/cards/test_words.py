import pytest

from hub.cards.citation import citation_of
from hub.cards.words import plain_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acme/llama-3.2_tiny", "acme llama 3 2 tiny"),
        ("cats -dogs", "cats -dogs"),
        ('"state-of-the-art" model.', '"state of the art" model.'),
        ("a\0b", "a b"),
    ],
)
def test_joined_words_are_taken_apart(text: str, words: str) -> None:
    assert plain_words(text) == words


@pytest.mark.parametrize(
    ("body", "citation"),
    [
        ("# T\n```bibtex\n@misc{a}\n```\n", "@misc{a}"),
        ("```\n@article{b,\n x={1}}\n```", "@article{b,\n x={1}}"),
        ("```python\nprint()\n```", None),
        ("", None),
    ],
)
def test_a_citation_is_the_first_bibtex_block(body: str, citation: str | None) -> None:
    assert citation_of(body) == citation
