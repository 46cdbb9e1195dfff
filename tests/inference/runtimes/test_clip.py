"""A CLIP that was trained here classifies what it never saw, and equals open_clip itself."""

import random
from collections.abc import Sequence

import pytest

from inference.protocols.families import Family
from inference.protocols.tasks import Task, call_of
from inference.runtimes.ports import Runtime
from inference.runtimes.registry import load
from inference.training.demo.shapes import HELD_OUT, PAIRS, TRAINED, samples
from tests.inference.ml import WEIGHTS, needs_ml, png, quietly, ref

pytestmark = [
    needs_ml,
    pytest.mark.filterwarnings("ignore"),  # of torch, timm and open_clip, on import
]
LABELS = [f"{colour} {shape}" for colour, shape in PAIRS]


@pytest.fixture(scope="module")
def clip() -> Runtime:
    return load(WEIGHTS / "clip", ref(Family.CLIP))


def right(clip: Runtime, pairs: Sequence[tuple[str, str]]) -> int:
    """Of 48 pictures, how many are told among 48 labels."""
    data = list(samples(48, random.Random(5), pairs))
    calls = [
        call_of(
            Task.ZERO_SHOT,
            {
                "image": png(one.image),
                "candidate_labels": LABELS,
                "hypothesis_template": "a photo of a {}",
            },
        )
        for one in data
    ]
    answers = clip.run(calls, quietly)
    truth = [f"{one.colour} {one.shape}" for one in data]
    return sum(found[0]["label"] == true for found, true in zip(answers, truth, strict=True))


def test_pictures_are_told_among_all_pairs_also_those_held_out(clip: Runtime) -> None:
    assert right(clip, TRAINED) >= 46
    assert right(clip, sorted(HELD_OUT)) >= 29


def test_a_batch_says_what_each_call_says_alone(clip: Runtime) -> None:
    data = samples(6, random.Random(1))
    calls = [call_of(Task.IMAGE_FEATURES, {"image": png(one.image)}) for one in data]

    together = clip.run(calls, quietly)
    alone = [clip.run([call], quietly)[0] for call in calls]

    for one, other in zip(together, alone, strict=True):
        assert one[0] == pytest.approx(other[0], abs=1e-5)


def test_features_are_those_of_open_clip_itself(clip: Runtime) -> None:
    import open_clip  # noqa: PLC0415 - it may be missing
    import torch  # noqa: PLC0415 - it may be missing

    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{WEIGHTS / 'clip'}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{WEIGHTS / 'clip'}")
    drawn = next(samples(1, random.Random(2)))
    with torch.inference_mode():
        bare_image = model.eval().encode_image(prepare(drawn.image)[None])[0]
        bare_text = model.encode_text(tokenize(["a red circle"]))[0]

    call = call_of(Task.IMAGE_FEATURES, {"image": png(drawn.image), "normalize": False})
    image = clip.run([call], quietly)[0][0]
    words = call_of(Task.FEATURES, {"texts": ["a red circle"], "normalize": False})
    text = clip.run([words], quietly)[0][0]

    assert image == pytest.approx(bare_image.tolist(), abs=1e-5)
    assert text == pytest.approx(bare_text.tolist(), abs=1e-5)


def test_texts_are_nearest_to_what_means_the_same(clip: Runtime) -> None:
    values = {
        "source_sentence": "a photo of a red circle",
        "sentences": ["a drawing of one red circle", "a blue square"],
    }

    [near, far] = clip.run([call_of(Task.SIMILARITY, values)], quietly)[0]

    assert near > far + 0.2
