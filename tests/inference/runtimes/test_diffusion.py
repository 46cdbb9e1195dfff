"""Whatever a diffusion model has learned: the same seed gives the bare pipeline's pixels."""

import io
import json
import weakref
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from inference.errors import ModelNotServed
from inference.protocols.adapters import FILE
from inference.protocols.families import Family
from inference.protocols.tasks import SCHEDULERS, Task, call_of
from inference.runtimes.ports import Runtime
from inference.runtimes.registry import load
from inference.runtimes.snapshot import folder_of
from inference.serving.tickets import Abandoned
from tests.inference.ml import needs_ml, png, quietly, ref, shown

pytestmark = [needs_ml, pytest.mark.filterwarnings("ignore")]
ASKED = {"prompt": "a red circle", "num_inference_steps": 3, "guidance_scale": 3.0, "seed": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that learned for two steps: enough for all that is no question of taste."""
    from inference.training.demo import diffusion  # noqa: PLC0415 - it may be missing

    home = folder_of(tmp_path_factory.mktemp("models"), ref(Family.DIFFUSION))
    home.mkdir(parents=True)
    diffusion.train(home, vae_steps=2, unet_steps=2, pictures=64)
    return home


@pytest.fixture(scope="module")
def adapters(folder: Path) -> list[dict[str, object]]:
    """Two that were made at random, and one for another model."""
    import torch  # noqa: PLC0415 - it may be missing
    from safetensors.torch import save_file  # noqa: PLC0415 - as above

    home = folder.parents[1] / "ada--lora"
    weights = [save_random_lora(folder, home / (digit * 40)) for digit in "12"]
    (home / ("3" * 40)).mkdir(parents=True)
    foreign = {f"unet.nowhere.lora_{side}.weight": torch.zeros(4, 4) for side in "AB"}
    save_file(foreign, home / ("3" * 40) / FILE)
    assert weights[0] != weights[1]
    return [{"repo": "ada/lora", "revision": digit * 40, "weight": 1} for digit in "123"]


def save_random_lora(base: Path, folder: Path) -> bytes:
    import diffusers  # noqa: PLC0415 - it may be missing
    import torch  # noqa: PLC0415 - as above
    from peft import LoraConfig  # noqa: PLC0415 - as above
    from peft.utils import get_peft_model_state_dict  # noqa: PLC0415 - as above

    unet = diffusers.UNet2DConditionModel.from_pretrained(base / "unet", dtype=torch.float32)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_v"]))
    torch.manual_seed(int(folder.name[0]))
    for name, weight in unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    layers = diffusers.utils.convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    diffusers.StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return (folder / FILE).read_bytes()


@pytest.fixture(scope="module")
def model(folder: Path) -> Runtime:
    return load(folder, ref(Family.DIFFUSION))


def drawn(model: Runtime, task: Task = Task.TEXT_TO_IMAGE, **more: object) -> Image.Image:
    [picture] = model.run([call_of(task, {**ASKED, **more})], quietly)
    return shown(picture.png)


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


def test_a_seed_gives_the_bare_pipelines_pixels(folder: Path, model: Runtime) -> None:
    import diffusers  # noqa: PLC0415 - it may be missing
    import torch  # noqa: PLC0415 - it may be missing

    bare = diffusers.StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    bare.set_progress_bar_config(disable=True)
    expected = bare(
        "a red circle",
        num_inference_steps=3,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(4),
    ).images[0]

    assert same(drawn(model), expected)
    assert not same(drawn(model, seed=5), expected)


def test_the_recipe_in_the_picture_makes_it_again(model: Runtime) -> None:
    values = {**ASKED, "width": 48, "height": 40, "scheduler": "Euler"}
    del values["seed"]
    [first] = model.run([call_of(Task.TEXT_TO_IMAGE, values)], quietly)

    kept = Image.open(io.BytesIO(first.png)).info
    recipe = json.loads(kept["weighhouse"])
    again = drawn(model, seed=recipe["seed"], width=48, height=40, scheduler="Euler")

    assert same(again, shown(first.png))
    assert "Sampler: Euler" in kept["parameters"]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_draws(model: Runtime, scheduler: str) -> None:
    assert drawn(model, scheduler=scheduler).size == (32, 32)


def test_what_the_mask_keeps_stays_as_it_was(model: Runtime) -> None:
    image = Image.new("RGB", (32, 32), (40, 70, 230))
    mask = Image.new("L", (32, 32), 0)
    mask.paste(255, (0, 0, 16, 32))

    made = drawn(model, Task.IMAGE_TO_IMAGE, image=png(image), mask=png(mask), strength=1.0)

    kept, redrawn = (16, 0, 32, 32), (0, 0, 16, 32)
    assert same(made.crop(kept), image.crop(kept))
    assert not same(made.crop(redrawn), image.crop(redrawn))


def test_strength_says_how_far_a_picture_goes_from_the_other(model: Runtime) -> None:
    image = png(Image.new("RGB", (40, 32), (40, 70, 230)))

    made = drawn(model, Task.IMAGE_TO_IMAGE, image=image, strength=0.9)

    assert made.size == (40, 32)


def test_a_run_that_nobody_waits_for_ends_at_its_next_step(model: Runtime) -> None:
    seen = []

    def step(done: int, _total: int) -> None:
        seen.append(done)
        raise Abandoned

    before = drawn(model)
    with pytest.raises(Abandoned):
        model.run([call_of(Task.TEXT_TO_IMAGE, ASKED)], step)

    assert seen == [1]
    assert same(drawn(model), before)


def test_an_adapter_draws_as_in_the_bare_pipeline_and_leaves_the_base_as_it_was(
    folder: Path, model: Runtime, adapters: list[dict[str, object]]
) -> None:
    import diffusers  # noqa: PLC0415 - it may be missing
    import torch  # noqa: PLC0415 - it may be missing

    first, second, _ = adapters
    base = drawn(model)
    bare = diffusers.StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    bare.set_progress_bar_config(disable=True)
    bare.load_lora_weights(folder.parents[1] / "ada--lora" / ("1" * 40))
    expected = bare(
        "a red circle",
        num_inference_steps=3,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(4),
    ).images[0]

    assert same(drawn(model, adapters=[first]), expected)
    both = drawn(model, adapters=[first, {**second, "weight": 0.5}])
    assert not same(both, expected)
    assert same(drawn(model), base)
    assert same(drawn(model, adapters=[first]), expected)
    assert not same(drawn(model, adapters=[{**first, "weight": 0.1}]), expected)


def test_adapters_are_of_the_batch_and_of_the_recipe(
    model: Runtime, adapters: list[dict[str, object]]
) -> None:
    plain = call_of(Task.TEXT_TO_IMAGE, ASKED)
    call = call_of(Task.TEXT_TO_IMAGE, {**ASKED, "adapters": adapters[:1]})
    [picture] = model.run([call], quietly)

    assert model.batch_key(plain) != model.batch_key(call)
    kept = Image.open(io.BytesIO(picture.png)).info
    assert json.loads(kept["weighhouse"])["adapters"] == [
        {"repo": "ada/lora", "commit": "1" * 40, "weight": 1.0}
    ]
    assert f"Lora: ada/lora@{'1' * 40} 1" in kept["parameters"]


def test_an_adapter_of_another_model_is_refused_and_leaves_no_trace(
    model: Runtime, adapters: list[dict[str, object]]
) -> None:
    before = drawn(model)

    with pytest.raises(ModelNotServed, match="The adapter"):
        drawn(model, adapters=adapters[2:])

    assert same(drawn(model), before)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "NoSuchPipeline"}')

    with pytest.raises(ModelNotServed):
        load(tmp_path, ref(Family.DIFFUSION))


def test_a_huge_picture_is_drawn_anew_no_larger_than_models_draw() -> None:
    from inference.runtimes.diffusion import _fitted  # noqa: PLC0415 - it may be missing

    call = call_of(
        Task.IMAGE_TO_IMAGE, {"image": png(Image.new("RGB", (8, 8))), "prompt": "a ring"}
    )

    assert _fitted(call, Image.new("RGB", (6000, 3000))).size == (2048, 1024)
    assert _fitted(call, Image.new("RGB", (100, 50))).size == (96, 48)


def test_what_is_unloaded_holds_no_memory(folder: Path) -> None:
    unloaded = load(folder, ref(Family.DIFFUSION))
    parts = weakref.ref(unloaded._pipelines[Task.TEXT_TO_IMAGE].unet)  # type: ignore[attr-defined]

    unloaded.unload()

    assert parts() is None
