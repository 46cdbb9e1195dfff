"""What may stand in a card's metadata, and what to tell its author when something else does.

The sentences are worded as the public hub words them, because client tests read them. Keys that
no table names are nobody's business and always fine.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from hub.cards.front_matter import split
from hub.cards.languages import is_language
from hub.cards.vocabularies import (
    ANNOTATIONS_CREATORS,
    BASE_MODEL_RELATIONS,
    LANGUAGE_CREATORS,
    LICENSES,
    MULTILINGUALITY,
    PIPELINE_TAGS,
    SIZE_CATEGORIES,
    SPACE_COLORS,
    SPACE_SDKS,
)
from hub.names import RepoKind

EMPTY_METADATA = "empty or missing yaml metadata in repo card"
MAX_PROBLEMS = 50
_REPO_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?", re.ASCII)
_LICENSE_NAME = re.compile(r"[a-z0-9.-]+", re.ASCII)
_MAX_SHORT_DESCRIPTION = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One remark on a card; an error is one that the hub refuses the card for."""

    message: str
    is_error: bool = True


Check = Callable[[str, object], Iterator[Problem]]
"""Takes where a value stands (``tags[2]``) and the value; yields what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that is wrong with a card."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        return not self.errors

    def as_text(self) -> str:
        """One line each, as the client shows them to people."""
        errors = [f"- Error: {message}" for message in self.errors]
        return "\n".join([*errors, *(f"- Warning: {message}" for message in self.warnings)])


def check_readme(kind: RepoKind, text: str) -> Report:
    """Judge a whole README: its front matter must be readable before its metadata can be judged."""
    front_matter = split(text)
    if front_matter.errors:
        return Report(errors=front_matter.errors)
    return check_metadata(kind, front_matter.metadata)


def check_metadata(kind: RepoKind, metadata: Mapping[str, object]) -> Report:
    """Judge metadata that was read already."""
    if not metadata:
        return Report(warnings=(EMPTY_METADATA,))
    every_problem = (
        problem
        for key, check in _CHECKS[kind].items()
        if metadata.get(key) is not None
        for problem in check(key, metadata[key])
    )
    problems = list(islice(every_problem, MAX_PROBLEMS))
    errors = tuple(problem.message for problem in problems if problem.is_error)
    return Report(errors, tuple(problem.message for problem in problems if not problem.is_error))


def _text(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(f'"{place}" must be a string')


def _flag(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(f'"{place}" must be a boolean')


def _mapping(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(f'"{place}" must be of type object')


def _one_of(words: tuple[str, ...]) -> Check:
    def check(place: str, value: object) -> Iterator[Problem]:
        if value not in words:
            yield Problem(f'"{place}" must be one of [{", ".join(words)}]')

    return check


def _known(words: tuple[str, ...]) -> Check:
    """Like ``_one_of``, for words that the hub may not have heard of yet."""

    def check(place: str, value: object) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(f'"{place}" must be a string')
        elif value not in words:
            message = f'"{place}" with value "{value}" is not in the official list: '
            yield Problem(message + ", ".join(words), is_error=False)

    return check


def _list_of(check_item: Check) -> Check:
    def check(place: str, value: object) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(f'"{place}" must be an array')
            return
        for number, item in enumerate(value):
            yield from check_item(f"{place}[{number}]", item)

    return check


def _one_or_list_of(check_item: Check) -> Check:
    check_list = _list_of(check_item)

    def check(place: str, value: object) -> Iterator[Problem]:
        yield from (check_list if isinstance(value, list) else check_item)(place, value)

    return check


def _mapping_with(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    def check(place: str, value: object) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(f'"{place}" must be of type object')
            return
        for key, check_value in {**required, **optional}.items():
            if value.get(key) is not None:
                yield from check_value(f"{place}.{key}", value[key])
            elif key in required:
                yield Problem(f'"{place}.{key}" is required')

    return check


def _language(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(f'"{place}" must be a string')
    elif not is_language(value):
        yield Problem(
            f'"{place}" with value "{value}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 '
            'code (two/three letters), or a special value like "code", "multilingual". '
            "BCP-47 identifiers belong in language_bcp47."
        )


def _repo_id(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(f'"{place}" must be a string')
    elif not _REPO_ID.fullmatch(value):
        yield Problem(f'"{place}" with value "{value}" is not the name of a repo', is_error=False)


def _license_name(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, str) or not _LICENSE_NAME.fullmatch(value):
        message = f'"{place}" should hold lower-case letters, digits, dots and dashes only'
        yield Problem(message, is_error=False)


def _short_description(place: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, str) or len(value) > _MAX_SHORT_DESCRIPTION:
        yield Problem(f'"{place}" must be a string of at most {_MAX_SHORT_DESCRIPTION} characters')


def _anything(_place: str, _value: object) -> Iterator[Problem]:
    yield from ()


_TYPED = _mapping_with({"type": _text}, {"name": _text})
_RESULT = _mapping_with(
    {
        "task": _TYPED,
        "dataset": _mapping_with({"type": _text, "name": _text}, {}),
        "metrics": _list_of(_mapping_with({"type": _text, "value": _anything}, {"name": _text})),
    },
    {},
)
_MODEL_INDEX = _list_of(_mapping_with({"name": _text, "results": _list_of(_RESULT)}, {}))
_DATA_FILES = _mapping_with({"config_name": _text}, {"default": _flag, "drop_labels": _flag})

_OF_ALL: dict[str, Check] = {
    "license": _one_or_list_of(_one_of(tuple(LICENSES))),
    "license_name": _license_name,
    "license_link": _text,
    "tags": _list_of(_text),
}

_CHECKS: dict[RepoKind, dict[str, Check]] = {
    RepoKind.MODEL: {
        **_OF_ALL,
        "language": _one_or_list_of(_language),
        "language_bcp47": _one_or_list_of(_text),
        "pipeline_tag": _known(tuple(PIPELINE_TAGS)),
        "library_name": _text,
        "datasets": _one_or_list_of(_repo_id),
        "base_model": _one_or_list_of(_repo_id),
        "base_model_relation": _one_of(BASE_MODEL_RELATIONS),
        "metrics": _one_or_list_of(_text),
        "model-index": _MODEL_INDEX,
        "thumbnail": _text,
        "new_version": _repo_id,
    },
    RepoKind.DATASET: {
        **_OF_ALL,
        "language": _one_or_list_of(_language),
        "language_bcp47": _one_or_list_of(_text),
        "pretty_name": _text,
        "task_categories": _one_or_list_of(_known(tuple(PIPELINE_TAGS))),
        "task_ids": _one_or_list_of(_text),
        "size_categories": _one_or_list_of(_known(SIZE_CATEGORIES)),
        "annotations_creators": _one_or_list_of(_known(ANNOTATIONS_CREATORS)),
        "language_creators": _one_or_list_of(_known(LANGUAGE_CREATORS)),
        "multilinguality": _one_or_list_of(_known(MULTILINGUALITY)),
        "source_datasets": _one_or_list_of(_text),
        "paperswithcode_id": _text,
        "configs": _list_of(_DATA_FILES),
        "config_names": _one_or_list_of(_text),
        "dataset_info": _one_or_list_of(_mapping),
        "viewer": _flag,
    },
    RepoKind.SPACE: {
        **_OF_ALL,
        "title": _text,
        "emoji": _text,
        "sdk": _one_of(SPACE_SDKS),
        "app_file": _text,
        "colorFrom": _one_of(SPACE_COLORS),
        "colorTo": _one_of(SPACE_COLORS),
        "pinned": _flag,
        "short_description": _short_description,
        "models": _list_of(_repo_id),
        "datasets": _list_of(_repo_id),
    },
}
