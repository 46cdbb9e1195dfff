"""What is given to models is checked once, for all doors."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from inference.errors import InputRejected, ModelNotServed, UnsafeWeights
from inference.protocols import images
from inference.protocols.families import Family, offer_of
from inference.protocols.line import Asking, read_asking, write_asking
from inference.protocols.tasks import FIELDS, Task, call_of
from inference.runtimes.recipes import recipe_in
from tests.inference.ml import png


def test_every_task_has_fields() -> None:
    assert set(FIELDS) == set(Task)


def test_what_is_not_given_has_its_default() -> None:
    call = call_of(Task.TEXT_TO_IMAGE, {"prompt": "a"})

    assert (call["num_inference_steps"], call["seed"], call["width"]) == (20, None, None)


@pytest.mark.parametrize(
    ("task", "given"),
    [
        (Task.TEXT_TO_IMAGE, {}),
        (Task.TEXT_TO_IMAGE, {"prompt": " "}),
        (Task.TEXT_TO_IMAGE, {"prompt": 7}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a" * 10_001}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a\0b"}),
        (Task.TEXT_TO_IMAGE, {"prompt": "\ud800"}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a", "width": 20}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a", "width": True}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a", "guidance_scale": float("nan")}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a", "guidance_scale": 10**400}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a", "seed": -1}),
        (Task.TEXT_TO_IMAGE, {"prompt": "a", "scheduler": "LMS2"}),
        (Task.FEATURES, {"texts": []}),
        (Task.FEATURES, {"texts": ["a"] * 1001}),
        (Task.FEATURES, {"texts": ["a", 7]}),
        (Task.FEATURES, {"texts": ["a" * 10_000] * 201}),
        (Task.FEATURES, {"texts": ["a"], "normalize": "yes"}),
        (Task.IMAGE_LABELS, {"image": b"GIF89a"}),
        (Task.IMAGE_LABELS, {"image": "https://example.org/a.png"}),
        (Task.IMAGE_LABELS, {"image": "data:text/html;base64,AAAA"}),
        (Task.IMAGE_LABELS, {"image": {"url": "a"}}),
    ],
)
def test_what_cannot_be_meant_is_refused(task: Task, given: dict[str, Any]) -> None:
    with pytest.raises(InputRejected):
        call_of(task, given)


def test_labels_need_a_template_with_a_place_for_them() -> None:
    given = {"image": png(Image.new("RGB", (8, 8))), "candidate_labels": ["a"]}

    assert call_of(Task.ZERO_SHOT, given)["candidate_labels"] == ["a"]
    with pytest.raises(InputRejected, match=r"\{\}"):
        call_of(Task.ZERO_SHOT, {**given, "hypothesis_template": "a photo"})


def test_pictures_of_too_many_pixels_are_refused_before_they_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 99)

    with pytest.raises(InputRejected, match="pixels"):
        images.checked_image(png(Image.new("RGB", (10, 10))), "image")


def test_pictures_cut_off_are_refused() -> None:
    whole = png(Image.effect_noise((64, 64), 50))

    with pytest.raises(InputRejected, match="cannot be read"):
        images.checked_image(whole[: len(whole) // 2], "image")


def test_what_one_can_see_through_stands_on_white() -> None:
    image = images.opened_image(png(Image.new("RGBA", (2, 2), (0, 0, 0, 0))))

    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_a_call_crosses_the_line_unchanged() -> None:
    raw = png(Image.new("RGB", (8, 8)))
    url = f"data:image/png;base64,{base64.b64encode(raw).decode()}"
    call = call_of(Task.QUESTION, {"image": url, "question": "ä ?"})
    asking = Asking(repo="a/b", commit="c", family=Family.CAPTIONS, call=call)

    assert read_asking(write_asking(asking)) == asking


def test_a_picture_without_a_recipe_is_told_so() -> None:
    with pytest.raises(InputRejected, match="no recipe"):
        recipe_in(png(Image.new("RGB", (8, 8))))


SAFE = "model.safetensors"


@pytest.mark.parametrize(
    ("paths", "config", "family"),
    [
        ({"open_clip_config.json", "open_clip_model.safetensors"}, {}, Family.CLIP),
        ({"model_index.json", "unet/x.safetensors"}, {}, Family.DIFFUSION),
        ({SAFE}, {"architectures": ["Blip2ForConditionalGeneration"]}, Family.CAPTIONS),
        ({SAFE}, {"architectures": ["ViTForImageClassification"]}, Family.IMAGE_LABELS),
        ({SAFE}, {"architectures": ["BertForSequenceClassification"]}, Family.TEXT_LABELS),
        ({SAFE}, {"architectures": ["BertModel"]}, Family.SENTENCES),
    ],
)
def test_files_say_what_kind_of_model_they_are(
    paths: set[str], config: dict[str, Any], family: Family
) -> None:
    assert offer_of(paths, config, "").family is family


@pytest.mark.parametrize(
    ("paths", "config", "refusal"),
    [
        ({"open_clip_config.json", "open_clip_pytorch_model.bin"}, {}, UnsafeWeights),
        ({SAFE}, {"architectures": ["XModel"], "auto_map": {"AutoModel": "x.X"}}, UnsafeWeights),
        ({"model_index.json"}, {}, ModelNotServed),
        ({"README.md"}, {}, ModelNotServed),
        ({SAFE}, {"architectures": "BertModel"}, ModelNotServed),
        ({SAFE}, {"architectures": ["LlamaForCausalLM"]}, ModelNotServed),
    ],
)
def test_what_is_not_run_here_is_refused(
    paths: set[str], config: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        offer_of(paths, config, "")


def test_gif_of_one_frame_is_a_picture() -> None:
    aside = io.BytesIO()
    Image.new("RGB", (8, 8)).save(aside, "GIF")

    assert images.checked_image(aside.getvalue(), "image")
