"""CLIP by open_clip: pictures and texts in one space."""

import json
from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch.nn import functional

from inference.errors import UnsafeWeights
from inference.protocols.images import opened_image
from inference.protocols.tasks import Call, Task
from inference.runtimes.devices import device, held_by, let_go, loading, telling_of_memory
from inference.runtimes.ports import Answer, ModelRef, Step

_TEXTS_AT_ONCE = 256
_HARMLESS = frozenset({"clean", "strip_sep_token", "language", "context_length"})
"""What a config may tell the loader of its tokenizer; all else would be told to transformers."""


class Clip:
    """An open_clip repo. What reads pictures stands in it too: the same pixels as in training."""

    most = 32

    def __init__(self, folder: Path, ref: ModelRef) -> None:
        where = f"local-dir:{folder}"
        with loading(str(ref)):
            _check(folder)
            model, _, self._prepare = open_clip.create_model_and_transforms(where)
            self._tokenize: Any = open_clip.get_tokenizer(where)
        self._model: Any = model.eval().to(device())
        self.nbytes = held_by(self._model)

    def batch_key(self, call: Call) -> Hashable:
        """Pictures of all tasks go through one tower, texts through the other."""
        return call.task

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[Answer]:
        with torch.inference_mode(), telling_of_memory():
            answers = self._answers(calls)
        step(1, 1)
        return answers

    def unload(self) -> None:
        del self._model
        let_go()

    def _answers(self, calls: Sequence[Call]) -> Sequence[Answer]:
        match calls[0].task:
            case Task.ZERO_SHOT:
                return self._classified(calls)
            case Task.IMAGE_FEATURES:
                pictures = self._pictures(calls)
                return [[_told(vector, call)] for vector, call in zip(pictures, calls, strict=True)]
            case Task.FEATURES:
                many = self._texts([call["texts"] for call in calls])
                return [
                    [_told(vector, call) for vector in vectors]
                    for vectors, call in zip(many, calls, strict=True)
                ]
            case _:
                return self._compared(calls)

    def _classified(self, calls: Sequence[Call]) -> Sequence[Answer]:
        pictures = functional.normalize(self._pictures(calls), dim=-1)
        written = [
            [call["hypothesis_template"].replace("{}", label) for label in call["candidate_labels"]]
            for call in calls
        ]
        scale = self._model.logit_scale.exp()
        return [
            _ranked(call["candidate_labels"], (scale * (_unit(texts) @ picture)).softmax(-1))
            for call, picture, texts in zip(calls, pictures, self._texts(written), strict=True)
        ]

    def _compared(self, calls: Sequence[Call]) -> Sequence[Answer]:
        many = self._texts([[call["source_sentence"], *call["sentences"]] for call in calls])
        return [(_unit(texts[1:]) @ _unit(texts[0])).tolist() for texts in many]

    def _pictures(self, calls: Sequence[Call]) -> Any:
        pixels = torch.stack([self._prepare(opened_image(call["image"])) for call in calls])
        return self._model.encode_image(pixels.to(device())).float()

    def _texts(self, groups: Sequence[Sequence[str]]) -> Sequence[Any]:
        """Encode each text once, whoever asks for it."""
        known = list(dict.fromkeys(text for group in groups for text in group))
        ids = self._tokenize(known).to(device())
        vectors = torch.cat(
            [self._model.encode_text(some).float() for some in ids.split(_TEXTS_AT_ONCE)]
        )
        place = {text: number for number, text in enumerate(known)}
        flat = vectors[[place[text] for group in groups for text in group]]
        ends = accumulate((len(group) for group in groups), initial=0)
        return [flat[start:end] for start, end in pairwise(ends)]


def _check(folder: Path) -> None:
    """open_clip does as its config says, which may be to load from elsewhere, or to run code."""
    told = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    text, vision = told.get("text_cfg") or {}, told.get("vision_cfg") or {}
    if (text.get("tokenizer_kwargs") or {}).keys() - _HARMLESS:
        raise UnsafeWeights("The config of the tokenizer asks for more than is granted here.")
    timm = str(vision.get("timm_model_name") or "")
    if text.get("hf_model_name") or vision.get("timm_model_pretrained") or set(timm) & set(":/"):
        raise UnsafeWeights("The model is made of another one that it would fetch from elsewhere.")


def _unit(vectors: Any) -> Any:
    return functional.normalize(vectors, dim=-1)


def _told(vector: Any, call: Call) -> Any:
    return (_unit(vector) if call["normalize"] else vector).tolist()


def _ranked(labels: Sequence[str], shares: Any) -> Answer:
    found = [
        {"label": label, "score": share}
        for label, share in zip(labels, shares.tolist(), strict=True)
    ]
    return sorted(found, key=lambda one: -one["score"])
