"""A captioner that was trained here says what pictures show."""

import random

import pytest

from inference.protocols.families import Family
from inference.protocols.tasks import Task, call_of
from inference.runtimes.ports import Runtime
from inference.runtimes.registry import load
from inference.training.demo.shapes import samples
from tests.inference.ml import WEIGHTS, needs_ml, png, quietly, ref

pytestmark = [needs_ml, pytest.mark.filterwarnings("ignore")]
DATA = list(samples(40, random.Random(5)))


@pytest.fixture(scope="module")
def captioner() -> Runtime:
    return load(WEIGHTS / "captioner", ref(Family.CAPTIONS))


def test_questions_about_colours_are_answered(captioner: Runtime) -> None:
    question = "what color is this ?"
    calls = [
        call_of(Task.QUESTION, {"image": png(one.image), "question": question}) for one in DATA
    ]

    answers = [found[0] for found in captioner.run(calls, quietly)]

    right = [one.colour == found["answer"] for one, found in zip(DATA, answers, strict=True)]
    assert sum(right) >= 36
    assert all(0 <= found["score"] <= 1 for found in answers)


def test_captions_name_colour_and_shape(captioner: Runtime) -> None:
    calls = [call_of(Task.IMAGE_TO_TEXT, {"image": png(one.image)}) for one in DATA]

    said = [found[0]["generated_text"] for found in captioner.run(calls, quietly)]

    truth = [f"a {one.colour} {one.shape}" for one in DATA]
    assert sum(text == true for text, true in zip(said, truth, strict=True)) >= 24
