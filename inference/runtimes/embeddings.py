"""Sentences to vectors by transformers: the mean of what the model says of each token."""

import json
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch.nn import functional

from inference.protocols.tasks import Call, Task
from inference.runtimes.devices import device, held_by, let_go, loading, telling_of_memory
from inference.runtimes.ports import Answer, ModelRef, Step
from inference.runtimes.texts import OF_FOLDER, batched, longest_of

_AT_ONCE = 32


class Sentences:
    """A transformers repo, pooled as ``1_Pooling/config.json`` says, else by the mean."""

    most = 32

    def __init__(self, folder: Path, ref: ModelRef) -> None:
        with loading(str(ref)):
            self._read: Any = transformers.AutoTokenizer.from_pretrained(folder, **OF_FOLDER)
            model = transformers.AutoModel.from_pretrained(
                folder, use_safetensors=True, **OF_FOLDER
            )
            self._by_first = _is_by_first(folder)
        self._model: Any = model.eval().to(device())
        self.nbytes = held_by(self._model)

    def batch_key(self, call: Call) -> Hashable:
        return call.task

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[Answer]:
        with torch.inference_mode(), telling_of_memory():
            answers = [self._answer(call) for call in calls]
        step(1, 1)
        return answers

    def unload(self) -> None:
        del self._model
        let_go()

    def _answer(self, call: Call) -> Answer:
        if call.task is Task.FEATURES:
            vectors = self._vectors(call["texts"])
            return (
                functional.normalize(vectors, dim=-1) if call["normalize"] else vectors
            ).tolist()
        texts = [call["source_sentence"], *call["sentences"]]
        source, *others = functional.normalize(self._vectors(texts), dim=-1)
        return (torch.stack(others) @ source).tolist()

    def _vectors(self, texts: Sequence[str]) -> Any:
        """Some at a time: each takes as much memory as the longest beside it."""
        return torch.cat([self._some(list(part)) for part in batched(texts, _AT_ONCE)])

    def _some(self, texts: list[str]) -> Any:
        most = longest_of(self._read, self._model.config)
        told = self._read(
            texts, return_tensors="pt", padding=True, truncation=True, max_length=most
        ).to(device())
        said = self._model(**told).last_hidden_state.float()
        if self._by_first:
            return said[:, 0]
        counts = told["attention_mask"].unsqueeze(-1).float()
        return (said * counts).sum(1) / counts.sum(1).clamp(min=1)


def _is_by_first(folder: Path) -> bool:
    pooling = folder / "1_Pooling" / "config.json"
    return pooling.is_file() and bool(json.loads(pooling.read_text()).get("pooling_mode_cls_token"))
