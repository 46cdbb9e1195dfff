"""What kind of thing a tag says: task, library, licence, language …, and how people read it.

The names of the types are those of the ``…-tags-by-type`` routes that clients read.
"""

from collections.abc import Mapping

from hub.cards.languages import LANGUAGES
from hub.cards.vocabularies import LIBRARIES, LICENSES, PIPELINE_TAGS, SIZE_CATEGORIES
from hub.names import RepoKind

OTHER = "other"
_PREFIXED = frozenset(
    [
        "annotations_creators",
        "arxiv",
        "base_model",
        "benchmark",
        "dataset",
        "deploy",
        "diffusers",
        "doi",
        "format",
        "language",
        "language_creators",
        "library",
        "license",
        "modality",
        "multilinguality",
        "region",
        "size_categories",
        "source_datasets",
        "task_categories",
        "task_ids",
        "template-type",
    ]
)
_BARE: Mapping[RepoKind, tuple[tuple[str, Mapping[str, str]], ...]] = {
    RepoKind.MODEL: (
        ("pipeline_tag", PIPELINE_TAGS),
        ("library", LIBRARIES),
        ("language", LANGUAGES),
    ),
    RepoKind.DATASET: (),
    RepoKind.SPACE: (),
}
_LABELS: Mapping[str, Mapping[str, str]] = {
    "pipeline_tag": PIPELINE_TAGS,
    "task_categories": PIPELINE_TAGS,
    "library": LIBRARIES,
    "language": LANGUAGES,
    "license": LICENSES,
}


def tag_type(kind: RepoKind, tag: str) -> str:
    """Answer the type of a tag, such as ``license``; free words are of the type ``other``."""
    prefix, colon, _ = tag.partition(":")
    if colon:
        return prefix if prefix in _PREFIXED else OTHER
    return next((name for name, words in _BARE[kind] if tag in words), OTHER)


def tag_label(kind: RepoKind, tag: str) -> str:
    """How people read a tag: the name of a licence, task or language, else its own words."""
    type_ = tag_type(kind, tag)
    value = tag.partition(":")[2] if type_ in _PREFIXED and ":" in tag else tag
    return _LABELS.get(type_, {}).get(value, value)


def known_tags(kind: RepoKind) -> list[str]:
    """The tags of fixed vocabularies: there to choose from, whether a repo has them or not."""
    licenses = [f"license:{name}" for name in LICENSES]
    if kind is RepoKind.MODEL:
        return [*PIPELINE_TAGS, *LIBRARIES, *LANGUAGES, *licenses]
    if kind is RepoKind.SPACE:
        return licenses
    return [
        *(f"task_categories:{name}" for name in PIPELINE_TAGS),
        *(f"size_categories:{name}" for name in SIZE_CATEGORIES),
        *(f"language:{name}" for name in LANGUAGES),
        *licenses,
    ]
