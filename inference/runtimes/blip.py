"""BLIP and BLIP-2 by transformers: captions, and answers to questions about pictures."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from inference.errors import InputRejected
from inference.protocols.images import opened_image
from inference.protocols.tasks import Call, Task
from inference.runtimes.devices import (
    device,
    held_by,
    let_go,
    loading,
    precision,
    telling_of_memory,
)
from inference.runtimes.ports import Answer, ModelRef, Step
from inference.runtimes.texts import OF_FOLDER, longest_of

_QUESTION = "question: {} answer:"
"""As BLIP-2 was trained to be asked; the other kind takes the question itself."""


class Blip:
    """A transformers repo of the BLIP kin."""

    most = 16

    def __init__(self, folder: Path, ref: ModelRef) -> None:
        with loading(str(ref)):
            config = transformers.AutoConfig.from_pretrained(folder, **OF_FOLDER)
            kind = getattr(transformers, config.architectures[0])
            self._processor: Any = transformers.AutoProcessor.from_pretrained(folder, **OF_FOLDER)
            model = kind.from_pretrained(
                folder, dtype=precision(), use_safetensors=True, local_files_only=True
            )
        self._model: Any = model.eval().to(device())
        self._is_second = config.model_type == "blip-2"
        self._longest = longest_of(self._processor.tokenizer, config.text_config)
        if self._is_second:
            self._longest -= config.num_query_tokens
        self.nbytes = held_by(self._model)

    def batch_key(self, call: Call) -> Hashable:
        return call.task, call["max_new_tokens"], bool(call.values.get("prompt"))

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[Answer]:
        texts = [self._asked(call) for call in calls]
        self._check(texts, calls[0]["max_new_tokens"])
        images = [opened_image(call["image"]) for call in calls]
        with torch.inference_mode(), telling_of_memory():
            said = self._said(images, texts, calls[0])
        step(1, 1)
        if calls[0].task is Task.QUESTION:
            return [[{"answer": text, "score": score}] for text, score in said]
        return [[{"generated_text": text}] for text, _score in said]

    def unload(self) -> None:
        del self._model
        let_go()

    def _asked(self, call: Call) -> str:
        if call.task is Task.IMAGE_TO_TEXT:
            return str(call["prompt"]) or ("a photo of" if self._is_second else "")
        question = str(call["question"])
        return _QUESTION.format(question) if self._is_second else question

    def _check(self, texts: Sequence[str], fresh: int) -> None:
        """What a model has no places for it would fail of."""
        most = self._longest - fresh
        for text in filter(None, texts):
            if len(self._processor.tokenizer(text, verbose=False).input_ids) > most:
                raise InputRejected(f"The text has more than the {max(0, most)} tokens left to it.")

    def _said(self, images: list[Any], texts: list[str], call: Call) -> list[tuple[str, float]]:
        told = self._processor(
            images=images,
            text=texts if any(texts) else None,
            return_tensors="pt",
            padding=True,
        ).to(device(), precision())
        made = self._model.generate(
            **told,
            max_new_tokens=call["max_new_tokens"],
            do_sample=False,
            output_scores=True,
            return_dict_in_generate=True,
        )
        fresh = made.sequences[:, -len(made.scores) :]
        texts = self._processor.batch_decode(fresh, skip_special_tokens=True)
        return [
            (text.strip(), score)
            for text, score in zip(texts, self._certainty(made, fresh), strict=True)
        ]

    def _certainty(self, made: Any, fresh: Any) -> list[float]:
        """How likely each answer was, by the product of its tokens."""
        steps = torch.stack([scores.float().log_softmax(-1) for scores in made.scores], dim=1)
        likely = steps.gather(-1, fresh.unsqueeze(-1)).squeeze(-1)
        ends = self._processor.tokenizer.pad_token_id
        shares: list[float] = likely.masked_fill(fresh == ends, 0).sum(-1).exp().tolist()
        return shares
