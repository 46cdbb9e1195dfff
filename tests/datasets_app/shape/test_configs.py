"""The datasets library itself says what configs and splits a tree has."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets.load import LocalDatasetModuleFactory
from datasets.packaged_modules import (
    _ALL_ALLOWED_EXTENSIONS,
    _EXTENSION_TO_MODULE,
    _MODULE_TO_EXTENSIONS,
)

from datasets_app.errors import Unresolvable
from datasets_app.shape import formats
from datasets_app.shape.configs import resolve
from datasets_app.shape.patterns import matches
from tests.datasets_app.shape.trees import Tree, tree

Found = dict[str, dict[str, list[str]] | None]
"""Files by config and split; None for a config without any, or that cannot be resolved."""


def by_library(root: Path, given: Tree) -> tuple[str, Found]:
    for path in given.paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    if given.card:
        (root / "README.md").write_text(f"---\n{yaml.safe_dump(given.card)}---\n")
    module = LocalDatasetModuleFactory(str(root)).get_module()
    configs = module.builder_configs_parameters.builder_configs or []
    found = {config.name: _files_of(config, root) for config in configs}
    return module.module_path.rpartition(".")[2], found


def _files_of(config: Any, root: Path) -> dict[str, list[str]] | None:
    try:
        config._resolve_data_files(base_path=str(root), download_config=None)
    except FileNotFoundError:
        return None
    found = {
        str(split): [str(Path(file).relative_to(root)) for file in files]
        for split, files in config.data_files.items()
    }
    return found if any(found.values()) else None


def by_us(given: Tree) -> tuple[str, Found]:
    plans = resolve(given.paths, given.card)
    found: Found = {
        plan.name: None if plan.problem else {one.name: list(one.files) for one in plan.splits}
        for plan in plans
    }
    return plans[0].builder, found


@pytest.mark.parametrize("block", range(12))
def test_a_tree_has_the_configs_that_the_library_finds(block: int, tmp_path: Path) -> None:
    agreed = 0
    for seed in range(block * 20, block * 20 + 20):
        given = tree(seed)
        root = tmp_path / str(seed)
        root.mkdir()
        try:
            expected: Any = by_library(root, given)
        except (ValueError, FileNotFoundError, TypeError):
            expected = None
        try:
            ours: Any = by_us(given)
        except Unresolvable:
            ours = None
        if expected is not None and not any(expected[1].values()):
            expected = ours = None
        # One bad config spoils the whole dataset for the library; here it spoils itself alone.
        if expected is None and ours is not None and None in ours[1].values():
            ours = None
        assert ours == expected, (seed, given)
        agreed += expected is not None
    assert agreed >= 4


def test_extensions_are_those_of_the_library() -> None:
    assert {ext: name for ext, (name, _) in _EXTENSION_TO_MODULE.items() if ext == ext.lower()} == (
        formats.BUILDERS
    )
    assert set(_ALL_ALLOWED_EXTENSIONS) == formats.ALLOWED
    for name, extensions in _MODULE_TO_EXTENSIONS.items():
        own = [
            ext for ext in formats.extensions_of(name) if ext not in {".idx", ".txn", ".manifest"}
        ]
        assert sorted(own) == sorted(extensions)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("*a" * 40 + "*b", "a" * 200), ("**/a/" * 40 + "b", "a/" * 200 + "c")],
)
def test_no_pattern_takes_a_worker_for_ever(pattern: str, path: str) -> None:
    assert matches(pattern, [path]) == []
    found = f"{path[:-1]}b"
    assert matches(pattern, [found]) == [found]
