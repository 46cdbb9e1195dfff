"""Classifiers by transformers: pictures or texts to labels."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from inference.protocols.images import opened_image
from inference.protocols.tasks import Call
from inference.runtimes.devices import device, held_by, let_go, loading, telling_of_memory
from inference.runtimes.ports import Answer, ModelRef, Step
from inference.runtimes.texts import OF_FOLDER, longest_of

_TOP = 5


class _Classifier:
    """A model whose head has one output for each label."""

    most = 32
    _auto: Any
    _reader: Any

    def __init__(self, folder: Path, ref: ModelRef) -> None:
        with loading(str(ref)):
            self._read = self._reader.from_pretrained(folder, **OF_FOLDER)
            model = self._auto.from_pretrained(folder, use_safetensors=True, **OF_FOLDER)
        self._model: Any = model.eval().to(device())
        self.nbytes = held_by(self._model)

    def batch_key(self, call: Call) -> Hashable:
        return call.task

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[Answer]:
        with torch.inference_mode(), telling_of_memory():
            logits = self._model(**self._given(calls)).logits.float()
        step(1, 1)
        return [
            self._named(row, call["top_k"] or _TOP) for row, call in zip(logits, calls, strict=True)
        ]

    def unload(self) -> None:
        del self._model
        let_go()

    def _given(self, calls: Sequence[Call]) -> Any:
        raise NotImplementedError

    def _named(self, logits: Any, most: int) -> Answer:
        is_many = self._model.config.problem_type == "multi_label_classification"
        shares = logits.sigmoid() if is_many else logits.softmax(-1)
        names = self._model.config.id2label
        best = shares.topk(min(most, len(shares)))
        return [
            {"label": str(names[place]), "score": share}
            for share, place in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]


class ImageClassifier(_Classifier):
    """Pictures to labels."""

    _auto = transformers.AutoModelForImageClassification
    _reader = transformers.AutoImageProcessor

    def _given(self, calls: Sequence[Call]) -> Any:
        images = [opened_image(call["image"]) for call in calls]
        return self._read(images=images, return_tensors="pt").to(device())


class TextClassifier(_Classifier):
    """Texts to labels."""

    _auto = transformers.AutoModelForSequenceClassification
    _reader = transformers.AutoTokenizer

    def _given(self, calls: Sequence[Call]) -> Any:
        texts = [call["text"] for call in calls]
        most = longest_of(self._read, self._model.config)
        told = self._read(
            texts, return_tensors="pt", padding=True, truncation=True, max_length=most
        )
        return told.to(device())
