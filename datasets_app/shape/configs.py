"""resolve: which files make which config and split; the rules of the datasets library, as data.

Source: ``datasets/data_files.py``, ``load.py`` and ``utils/metadata.py`` of datasets 5.2. No file
is opened, but for the lists of members of zip files, where nothing else says what a dataset is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from datasets_app.errors import Unresolvable
from datasets_app.shape import formats
from datasets_app.shape.builders import Members, builder_of, readable
from datasets_app.shape.patterns import first_of, has_magic, matches

MAX_CONFIGS: Final = 4000
MAX_SPLITS: Final = 30
_SPLIT_NAME: Final = re.compile(r"^\w+(\.\w+)*$")
_BAD_IN_CONFIG: Final = frozenset('<>:/\\|?*"\0')
_SEPARATORS: Final = "-._ 0-9"
_KEYWORDS: Final = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SHARDED: Final = "data/{split}-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]*.*"
_SHARD_NAME: Final = re.compile(r"(.+)-[0-9]{5}-of-[0-9]{4}[0-9]*.*")


def _by_keyword(*shapes: str) -> dict[str, list[str]]:
    return {
        split: [
            shape.format(keyword=keyword, sep=_SEPARATORS)
            for keyword in keywords
            for shape in shapes
        ]
        for split, keywords in _KEYWORDS.items()
    }


_DEFAULTS: Final[tuple[dict[str, list[str]], ...]] = (
    {"logs": ["**/*.eval"]},
    {"test": ["**/task.toml", "**/instruction.md"]},
    _by_keyword(
        "**/{keyword}/**",
        "**/{keyword}[{sep}]*/**",
        "**/*[{sep}]{keyword}/**",
        "**/*[{sep}]{keyword}[{sep}]*/**",
    ),
    _by_keyword("**/{keyword}[{sep}]*", "**/*[{sep}]{keyword}[{sep}]*"),
    {"train": ["**"]},
)
"""Tried in this order where a card says nothing: the first that finds a file is taken."""

Patterns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """A split and its files, in the order of its rows."""

    name: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """A config and its splits."""

    name: str
    builder: str
    splits: tuple[SplitPlan, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    is_default: bool = False
    problem: Unresolvable | None = None
    """Why it has no splits."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A config as the card describes it."""

    name: str
    values: Mapping[str, Any]

    @property
    def folder(self) -> str:
        given = self.values.get("data_dir")
        return str(given).strip("/").removeprefix("./") if given else ""


def resolve(
    paths: Sequence[str], card: Mapping[str, Any], members: Members | None = None
) -> tuple[ConfigPlan, ...]:
    """The configs of a dataset with these files and this card; the default one first, then by name.

    Raises:
        Unresolvable: the card cannot be understood, or there are no data files.
    """
    ordered = sorted(paths)
    named = _named(card)
    first = named[0].values if named else {}
    patterns = (
        _sanitized(first["data_files"]) if "data_files" in first else _found_patterns(ordered)
    )
    files = _files(patterns, ordered)
    builder, defaults = builder_of(files, members)
    if not named:
        kept = {split: readable(found, builder) for split, found in files.items()}
        return (ConfigPlan("default", builder, _splits(kept), defaults, is_default=True),)
    default = _default(named)
    plans = [
        _planned(one, ordered, builder, defaults, is_default=one.name == default) for one in named
    ]
    return tuple(sorted(plans, key=lambda plan: (not plan.is_default, plan.name)))


def _named(card: Mapping[str, Any]) -> list[_Named]:
    configs = card.get("configs")
    if not configs:
        return []
    if not isinstance(configs, list) or len(configs) > MAX_CONFIGS:
        raise Unresolvable(
            "ConfigNamesError"
            if not isinstance(configs, list)
            else "DatasetWithTooManyConfigsError",
            f"Expected configs to be a list of at most {MAX_CONFIGS}.",
        )
    found: dict[str, _Named] = {}
    for config in configs:
        name = config.get("config_name") if isinstance(config, dict) else None
        if not isinstance(name, str) or not name:
            raise Unresolvable(
                "ConfigNamesError",
                "Each config must include `config_name` field with a string name of a config.",
            )
        if _BAD_IN_CONFIG & set(name) or name in {".", ".."}:
            raise Unresolvable("ConfigNamesError", f"Bad characters in the config name {name!r}.")
        _check_data_files(config.get("data_files"))
        found[name] = _Named(name, {key: config[key] for key in config if key != "config_name"})
    return list(found.values())


def _check_data_files(given: object) -> None:
    items = given if isinstance(given, list) else []
    is_good = given is None or isinstance(given, str | list)
    if not is_good or not all(_is_entry(item) for item in items):
        raise Unresolvable(
            "ConfigNamesError",
            "Expected data_files in YAML to be either a string or a list of strings or a list of "
            f"dicts with two keys: 'split' and 'path', but got {given}",
        )


def _is_entry(item: object) -> bool:
    if isinstance(item, str):
        return True
    return (
        isinstance(item, dict)
        and item.keys() == {"split", "path"}
        and isinstance(item["split"], str)
        and bool(_SPLIT_NAME.match(item["split"]))
        and (
            isinstance(item["path"], str)
            or (isinstance(item["path"], list) and all(isinstance(p, str) for p in item["path"]))
        )
    )


def _default(named: Sequence[_Named]) -> str | None:
    marked = [
        one.name
        for one in named
        if len(named) == 1 or one.name == "default" or one.values.get("default")
    ]
    if len(marked) > 1:
        raise Unresolvable(
            "ConfigNamesError",
            f"Dataset has several default configs: '{marked[0]}' and '{marked[1]}'.",
        )
    return marked[0] if marked else None


def _sanitized(given: object) -> Patterns:
    if given is None:
        return {}
    if isinstance(given, str):
        return {"train": [given]}
    items = given if isinstance(given, list) else []
    if not any(isinstance(item, dict) for item in items):
        return {"train": items}
    if not all(isinstance(item, dict) for item in items):
        raise Unresolvable("ConfigNamesError", f"data_files mixes patterns and splits: {given}")
    names = [item["split"] for item in items]
    if len(set(names)) != len(names):
        raise Unresolvable("SplitsNamesError", f"Some splits are duplicated in data_files: {names}")
    return {
        item["split"]: [item["path"]] if isinstance(item["path"], str) else item["path"]
        for item in items
    }


def _found_patterns(paths: Sequence[str]) -> Patterns:
    """The patterns of a folder whose card names none."""
    if sharded := matches(_SHARDED.format(split="*"), paths):
        return {split: [_SHARDED.format(split=split)] for split in _shard_splits(sharded)}
    for patterns in _DEFAULTS:
        if found := {split: tried for split, tried in patterns.items() if first_of(tried, paths)}:
            return found
    raise Unresolvable("EmptyDatasetError", "The dataset is empty: it has no data files.")


def _shard_splits(paths: Sequence[str]) -> list[str]:
    found = {match[1] for path in paths if (match := _SHARD_NAME.search(path.rpartition("/")[2]))}
    if bad := sorted(name for name in found if not _SPLIT_NAME.match(name)):
        raise Unresolvable("SplitsNamesError", f"{bad[0]!r} is no name of a split.")
    return [name for name in _KEYWORDS if name in found] + sorted(found - set(_KEYWORDS))


def _files(patterns: Patterns, paths: Sequence[str], folder: str = "") -> dict[str, list[str]]:
    return {
        split: [path for one in listed for path in _data_files(one, paths, folder)]
        for split, listed in patterns.items()
    }


def _data_files(pattern: str, paths: Sequence[str], folder: str) -> list[str]:
    whole = f"{folder}/{pattern.removeprefix('./')}" if folder else pattern
    found = [
        path
        for path in matches(whole, paths)
        if any(suffix in formats.ALLOWED for suffix in formats.suffixes(path))
    ]
    if not found and not has_magic(pattern):
        raise Unresolvable(
            "DataFilesNotFoundError", f"Unable to find '{whole}' with any supported extension."
        )
    return found


def _planned(
    config: _Named,
    paths: Sequence[str],
    builder: str,
    defaults: Mapping[str, Any],
    *,
    is_default: bool,
) -> ConfigPlan:
    params = {
        key: value
        for key, value in {**defaults, **config.values}.items()
        if key in formats.PARAMS.get(builder, ())
    }
    try:
        splits = _splits(_files_of(config, paths))
    except Unresolvable as problem:
        return ConfigPlan(config.name, builder, (), params, is_default, problem)
    return ConfigPlan(config.name, builder, splits, params, is_default)


def _files_of(config: _Named, paths: Sequence[str]) -> dict[str, list[str]]:
    folder = config.folder
    if config.values.get("data_files") is not None:
        return _files(_sanitized(config.values["data_files"]), paths, folder)
    below = [path[len(folder) + 1 :] for path in paths if path.startswith(f"{folder}/")]
    return _files(_found_patterns(below if folder else paths), paths, folder)


def _splits(files: Mapping[str, Sequence[str]]) -> tuple[SplitPlan, ...]:
    if len(files) > MAX_SPLITS:
        raise Unresolvable(
            "DatasetWithTooManySplitsError", f"A config has at most {MAX_SPLITS} splits."
        )
    if not any(files.values()):
        raise Unresolvable("DataFilesNotFoundError", "No (supported) data files found.")
    return tuple(SplitPlan(name, tuple(found)) for name, found in files.items())
