"""A vision model learns labels, also when it is killed meanwhile; stock transformers load it."""

import io
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inference.training.run import run
from tests.inference.ml import needs_ml
from tests.inference.training.folders import asked, digest, losses, shades, trained, write_rows
from tests.inference.training.test_run import broken_off

pytestmark = [needs_ml, pytest.mark.filterwarnings("ignore")]  # of torch, on import
PARAMETERS = {"epochs": 6, "batch_size": 8, "lr": 2e-3, "checkpointing_steps": 5}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What a training asks of torch is no concern of other tests."""
    import torch  # noqa: PLC0415

    yield
    torch.use_deterministic_algorithms(mode=False)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small vision transformer that has learned nothing."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=16,
        patch_size=8,
        num_labels=3,
        hidden_dropout_prob=0.1,
    )
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


def test_it_learns_and_a_killed_one_comes_to_the_same_weights(tmp_path: Path, base: Path) -> None:
    from transformers import pipeline  # noqa: PLC0415

    rows = shades(40)
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        write_rows(tmp_path / name, rows)
        asked(tmp_path / name, "image-classification", PARAMETERS, base)

    told: list[Mapping[str, Any]] = []
    run(tmp_path / "whole", told.append)
    before = broken_off(tmp_path / "killed", signal.SIGKILL, after=12)
    after = losses(trained(tmp_path / "killed"))

    assert [line["figures"]["accuracy"] for line in told if "measured" in line][-1] == 1.0
    assert before | after == losses(told)
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")
    classify = pipeline("image-classification", str(tmp_path / "whole" / "made"))
    image = Image.open(io.BytesIO(rows[1][0] or b""))
    assert classify(image)[0]["label"] == "light"


def test_a_linear_probe_leaves_the_features_of_its_base(tmp_path: Path, base: Path) -> None:
    from safetensors.torch import load_file  # noqa: PLC0415

    run(asked(tmp_path, "image-classification", {"train": "head", "epochs": 2}, base), print)

    old = load_file(base / "model.safetensors")
    new = load_file(tmp_path / "made" / "model.safetensors")
    changed = {name for name in old if not old[name].equal(new[name])}
    assert changed == {"classifier.weight", "classifier.bias"}
