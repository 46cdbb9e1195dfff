"""Synthetic trees of dataset repos, from a seed: names as people give them."""

import random
from dataclasses import dataclass, field
from typing import Any

FOLDERS = [
    "",
    "data",
    "train",
    "test",
    "validation",
    "en/train",
    "data/train-set",
    "my.dev.data",
    "images/cats",
    "images/dogs",
    "eval_2",
    "__pycache__",
    ".hidden",
    "a/b/c",
    "training data",
    "subtrain",
]
STEMS = [
    "train",
    "test-00",
    "valid",
    "dev",
    "part-0",
    "part-1",
    "a",
    "b",
    "my_train_data",
    "mytrain",
    "eval.set",
    "x test",
    "val1",
    "metadata",
    "README",
    ".secret",
    "random-00000-of-00002",
    "train-00000-of-00002",
    "train-00001-of-00002",
    "validation-00000-of-00001-9f3a",
    "img0",
    "Train",
    "training[1]",
]
EXTENSIONS = {
    "parquet": 4,
    "csv": 6,
    "jsonl": 5,
    "json": 4,
    "txt": 3,
    "tsv": 2,
    "jsonl.gz": 2,
    "csv.zst": 1,
    "png": 4,
    "JPG": 2,
    "wav": 1,
    "md": 1,
    "py": 1,
    "arrow": 1,
    "tar": 1,
    "mp4": 1,
    "pdf": 1,
    "bin": 1,
    "parquet.crc": 1,
    "toml": 1,
    "CSV": 1,
}
PATTERNS = [
    "*.csv",
    "data/*",
    "data/**",
    "**/train*",
    "train/*.jsonl",
    "**",
    "**/*.parquet",
    "**/*[0-9]*",
    "images/**",
    "*/part-?.*",
    "data/train.csv",
    "test/a.jsonl",
    "[ab].*",
    "**/[!t]*.csv",
    "en/**/*.csv",
    "**/.secret.*",
    "__pycache__/*",
]
SPLITS = ["train", "test", "validation", "dev.x", "extra"]


@dataclass(frozen=True)
class Tree:
    paths: list[str]
    card: dict[str, Any] = field(default_factory=dict)


def tree(seed: int) -> Tree:
    """One tree; about half have a card with configs."""
    chance = random.Random(seed)
    folders = chance.sample(FOLDERS, chance.randint(1, 4))
    extensions = chance.choices(list(EXTENSIONS), list(EXTENSIONS.values()), k=chance.randint(1, 3))
    paths = set()
    for _ in range(chance.randint(1, 14)):
        folder, stem = chance.choice(folders), chance.choice(STEMS)
        paths.add(f"{folder}/{stem}.{chance.choice(extensions)}".lstrip("/"))
    card = {"configs": _configs(chance, sorted(paths))} if chance.random() < 0.5 else {}
    return Tree(sorted(paths - {"README.md"}), card)


def _configs(chance: random.Random, paths: list[str]) -> list[dict[str, Any]]:
    names = chance.sample(["default", "en", "de", "v1.0", "big one"], chance.randint(1, 3))
    configs = [_config(chance, name, paths) for name in names]
    if chance.random() < 0.2:
        chance.choice(configs)["default"] = True
    return configs


def _config(chance: random.Random, name: str, paths: list[str]) -> dict[str, Any]:
    kind = chance.randrange(6)
    config: dict[str, Any] = {"config_name": name}
    if kind == 0:
        config["data_dir"] = chance.choice(FOLDERS[1:8])
    elif kind == 1:
        config["data_files"] = _pattern(chance, paths)
    elif kind == 2:
        config["data_files"] = [_pattern(chance, paths) for _ in range(chance.randint(1, 3))]
    elif kind < 5:
        config["data_files"] = [
            {"split": split, "path": _path(chance, paths)}
            for split in chance.sample(SPLITS, chance.randint(1, 3))
        ]
        if chance.random() < 0.2:
            config["data_dir"] = chance.choice(FOLDERS[1:4])
    if chance.random() < 0.2:
        config["sep"] = ";"
    return config


def _path(chance: random.Random, paths: list[str]) -> str | list[str]:
    if chance.random() < 0.4:
        return [_pattern(chance, paths) for _ in range(chance.randint(1, 3))]
    return _pattern(chance, paths)


def _pattern(chance: random.Random, paths: list[str]) -> str:
    choice = chance.random()
    if choice < 0.45:
        return chance.choice(paths)
    if choice < 0.6:
        folder, _, name = chance.choice(paths).rpartition("/")
        return f"{folder}/*.{name.partition('.')[2]}".lstrip("/")
    return chance.choice(PATTERNS)
