"""What a model answered, as a page shows it; and the same call as code."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from inference.protocols.adapters import lines_of
from inference.protocols.tasks import FIELDS, Call, FieldKind, Task
from inference.runtimes.ports import Answer, Picture

_SHOWN_NUMBERS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A label and how sure the model is of it."""

    label: str
    score: float

    @property
    def percent(self) -> str:
        return f"{self.score * 100:.1f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAnswer:
    """One of: a picture with its recipe, bars, texts."""

    image: str = ""
    alt: str = ""
    recipe: list[tuple[str, str]] = field(default_factory=list)
    again: str = ""
    """The query of a link that fills the form in the same way."""
    bars: list[Bar] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, answer: Answer, call: Call, *, url: str = "") -> "ShownAnswer":
        if isinstance(answer, Picture):
            return cls._of_picture(answer, call, url)
        if call.task in {Task.FEATURES, Task.IMAGE_FEATURES}:
            return cls(texts=[_vector(one) for one in answer])
        if call.task is Task.IMAGE_TO_TEXT:
            return cls(texts=[one["generated_text"] for one in answer])
        if call.task is Task.SIMILARITY:
            pairs = zip(call["sentences"], answer, strict=True)
            return cls(bars=[Bar(text, score) for text, score in pairs])
        word = "answer" if call.task is Task.QUESTION else "label"
        return cls(bars=[Bar(one[word], one["score"]) for one in answer])

    @classmethod
    def _of_picture(cls, picture: Picture, call: Call, url: str) -> "ShownAnswer":
        inline = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
        told = {
            name: value
            for name, value in picture.recipe.items()
            if not isinstance(value, dict) and value not in ("", None)
        }
        if told.get("adapters"):
            told["adapters"] = lines_of(told["adapters"])
        names = {one.name for one in FIELDS[call.task] if one.kind is not FieldKind.IMAGE}
        again = {name: value for name, value in told.items() if name in names}
        return cls(
            image=url or inline,
            alt=str(picture.recipe.get("prompt", "")),
            recipe=[(name.replace("_", " "), str(value)) for name, value in told.items()],
            again=urlencode({"task": call.task.value, **again}),
        )


def _vector(vector: list[float]) -> str:
    shown = ", ".join(f"{value:.4f}" for value in vector[:_SHOWN_NUMBERS])
    return f"{len(vector)} numbers: {shown}, …"


_METHODS: dict[Task, tuple[str, str]] = {
    Task.TEXT_TO_IMAGE: ("text_to_image", '"a photo of a red circle"'),
    Task.IMAGE_TO_IMAGE: ("image_to_image", '"picture.png", prompt="a photo of a red circle"'),
    Task.ZERO_SHOT: (
        "zero_shot_image_classification",
        '"picture.png", candidate_labels=["red circle", "blue square"]',
    ),
    Task.IMAGE_LABELS: ("image_classification", '"picture.png"'),
    Task.TEXT_LABELS: ("text_classification", '"a red circle"'),
    Task.FEATURES: ("feature_extraction", '"a red circle"'),
    Task.SIMILARITY: ("sentence_similarity", '"a red circle", ["a red ring", "a blue square"]'),
    Task.IMAGE_TO_TEXT: ("image_to_text", '"picture.png"'),
    Task.QUESTION: ("visual_question_answering", '"picture.png", "what color is this ?"'),
}


def calls_as_code(task: Task, url: str) -> list[dict[str, Any]]:
    """The call as people write it: with the client, and with curl."""
    body = json.dumps({"inputs": "…"}, ensure_ascii=False)
    bearer = "Authorization: Bearer $HF_TOKEN"
    curl = f"curl {url}/pipeline/{task} -H \"{bearer}\" -d '{body}'"
    codes = [{"label": "curl", "text": curl}]
    if task in _METHODS:
        name, arguments = _METHODS[task]
        lines = [
            "from huggingface_hub import InferenceClient",
            "",
            f'client = InferenceClient(model="{url}/pipeline/{task}")',
            f"client.{name}({arguments})",
        ]
        codes.insert(0, {"label": "Python", "text": "\n".join(lines)})
    return codes
