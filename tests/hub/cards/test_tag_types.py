import pytest

from hub.cards.tag_types import known_tags, tag_label, tag_type
from hub.names import RepoKind

MODEL, DATASET = RepoKind.MODEL, RepoKind.DATASET


@pytest.mark.parametrize(
    ("kind", "tag", "type_", "label"),
    [
        (MODEL, "text-generation", "pipeline_tag", "Text Generation"),
        (MODEL, "en", "language", "English"),
        (MODEL, "license:mit", "license", "MIT"),
        (MODEL, "dataset:ada/d", "dataset", "ada/d"),
        (MODEL, "my-own:word", "other", "my-own:word"),
        (MODEL, "quokka", "other", "quokka"),
        (DATASET, "language:de", "language", "German"),
        (DATASET, "task_categories:fill-mask", "task_categories", "Fill-Mask"),
        (DATASET, "en", "other", "en"),
    ],
)
def test_a_tag_has_a_type_and_a_label(kind: RepoKind, tag: str, type_: str, label: str) -> None:
    assert (tag_type(kind, tag), tag_label(kind, tag)) == (type_, label)


@pytest.mark.parametrize("kind", list(RepoKind))
def test_known_tags_are_of_known_types(kind: RepoKind) -> None:
    assert "other" not in {tag_type(kind, tag) for tag in known_tags(kind)}
