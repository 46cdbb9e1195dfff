"""A LoRA learns a ground of another colour; stock diffusers draws with it, and the base stays."""

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from inference.protocols.adapters import FILE
from inference.training.demo.shapes import samples
from inference.training.exports import put_in_order
from inference.training.ports import Given, TrainingFailed
from inference.training.recipes import about, load
from inference.training.rows import FEATURES, Rows
from tests.inference.ml import WEIGHTS, needs_ml, png

pytestmark = [needs_ml, pytest.mark.filterwarnings("ignore")]  # of torch, on import
RECIPE = "text-to-image-lora"
BASE = WEIGHTS / "diffusion"
PROMPTS = ["a photo of a red circle", "a photo of a blue square"]
_COLOURED = 80


def on_light_ground(image: Image.Image) -> Image.Image:
    """The shape as it is, on nearly white."""
    pixels = np.asarray(image).copy()
    pixels[np.asarray(image.convert("HSV"))[..., 1] < _COLOURED] = (245, 245, 245)
    return Image.fromarray(pixels)


def given(count: int = 16, **parameters: object) -> Given:
    features = {"image": {"_type": "Image"}, "text": {"_type": "Value", "dtype": "string"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary())])), ("text", pa.string())],
        metadata={FEATURES: json.dumps({"info": {"features": features}})},
    )
    rows = [
        {"image": {"bytes": png(on_light_ground(one.image))}, "text": one.caption}
        for one in samples(count, random.Random(3))
    ]
    train = Rows(pa.Table.from_pylist(rows, schema=schema))
    values = about(RECIPE).values(
        {"batch_size": 4, "lr": 4e-3, "scheduler": "constant", "warmup_ratio": 0, **parameters}
    )
    columns = about(RECIPE).columns(schema, values)
    return Given(base=BASE, train=train, valid=train.only([0]), columns=columns, values=values)


def brightness(adapter: Path | None) -> float:
    """Of pictures that stock diffusers draws: how bright they are on the whole."""
    import diffusers  # noqa: PLC0415 - it may be missing
    import torch  # noqa: PLC0415 - as above

    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(BASE, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if adapter is not None:
        pipeline.load_lora_weights(adapter)
    drawn = pipeline(
        PROMPTS,
        num_inference_steps=8,
        guidance_scale=2.0,
        generator=[torch.Generator().manual_seed(seed) for seed in (1, 2)],
    ).images
    return float(np.mean([np.asarray(image) for image in drawn]))


def test_it_changes_what_the_base_draws_and_the_base_stays(tmp_path: Path) -> None:
    weights = (BASE / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    before = brightness(None)
    training = load(RECIPE)(given(epochs=10, alpha=4.0, min_snr_gamma=5.0))
    first = training.evaluate()

    for number in range(1, training.total + 1):
        training.step(number)
    last = training.evaluate()
    training.export(tmp_path)

    assert last["eval_loss"] < first["eval_loss"]
    assert brightness(tmp_path) > before + 15
    assert (BASE / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == weights


def test_after_a_checkpoint_it_comes_to_the_same_weights(tmp_path: Path) -> None:
    for name in ("whole", "resumed", "saved"):
        (tmp_path / name).mkdir()
    whole, begun, resumed = (
        load(RECIPE)(given(count=4, epochs=2, batch_size=2, targets="all")) for _ in range(3)
    )

    expected = [whole.step(number) for number in range(1, 5)]
    found = [begun.step(number) for number in (1, 2)]
    begun.save(tmp_path / "saved")
    resumed.load(tmp_path / "saved")
    found += [resumed.step(number) for number in (3, 4)]
    whole.export(tmp_path / "whole")
    resumed.export(tmp_path / "resumed")
    put_in_order(tmp_path)

    assert found == expected
    weights = [(tmp_path / name / FILE).read_bytes() for name in ("whole", "resumed")]
    assert weights[0] == weights[1]


def test_a_checkpoint_of_other_weights_is_refused(tmp_path: Path) -> None:
    load(RECIPE)(given(count=4)).save(tmp_path)

    with pytest.raises(TrainingFailed, match="another training"):
        load(RECIPE)(given(count=4, targets="all")).load(tmp_path)


def test_without_captions_there_is_nothing_to_learn() -> None:
    bare = given(count=4)
    columns = {"image_column": "image"}

    with pytest.raises(TrainingFailed, match="captions"):
        load(RECIPE)(
            Given(
                base=BASE, train=bare.train, valid=bare.valid, columns=columns, values=bare.values
            )
        )
