import random

import pytest

from hub.names import EntryPath
from hub.services import card_checks
from hub.services.commits import DeleteFile, DeleteFolder
from tests.cast import Cast
from tests.hub.services.test_fsck import land, put

pytestmark = pytest.mark.django_db

NAMES = (
    "README.md",
    "config.json",
    "config_setfit.json",
    "data/train.csv",
    "data/train.jsonl",
    "data/train.parquet",
    "images/cat.png",
    "keras_metadata.pb",
    "model.gguf",
    "model.nemo",
    "model.onnx",
    "onnx/model.onnx",
    "preprocessor_config.json",
    "pytorch_model.bin",
    "saved_model.pb",
    "sounds/cat.wav",
    "spaceship.tflite",
    "tokenizer.json",
)


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
@pytest.mark.parametrize("seed", range(4))
def test_a_card_follows_every_commit_as_if_it_were_read_anew(
    cast: Cast, kind: str, seed: int
) -> None:
    chance, repo, there = random.Random(seed), cast.repo(kind=kind), set[str]()

    for turn in range(12):
        name = chance.choice(NAMES)
        if name in there and chance.random() < 0.6:
            there.discard(name)
            land(cast, repo, DeleteFile(EntryPath(name)))
        else:
            there.add(name)
            land(cast, repo, put(name, b'{"model_type": "bert"}' + b" " * turn))

        assert list(card_checks.card_faults(repo, deep=True)) == [], (turn, name, there)


def test_a_card_forgets_the_formats_of_a_deleted_folder(cast: Cast) -> None:
    repo = cast.repo()
    land(cast, repo, put("onnx/model.onnx"))

    land(cast, repo, DeleteFolder(EntryPath("onnx")))

    assert list(card_checks.card_faults(repo, deep=True)) == []


def test_a_fresh_repo_has_the_tags_of_one_that_is_read_anew(cast: Cast) -> None:
    assert list(card_checks.card_faults(cast.repo(), deep=True)) == []
