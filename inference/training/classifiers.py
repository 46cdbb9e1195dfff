"""Image classification by transformers: all of a vision model, or a linear probe of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from inference.runtimes.devices import device, loading, telling_of_memory
from inference.training.labels import labels_of
from inference.training.learner import Learner
from inference.training.pictures import image_at
from inference.training.ports import Given
from inference.training.rows import Rows

_HEADS = ("classifier", "head", "score", "cls_classifier", "distillation_classifier")
_EVALUATED_AT_ONCE = 32
_CACHE_BYTES = 512 * 2**20


class ImageClassification:
    """A base whose head is made new for the labels of the dataset, unless they are as many."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._labels = labels_of(given.train, given.valid, given.columns["target_column"])
        # A new head is drawn at random.
        torch.manual_seed(given.values["seed"])
        with loading("The base model"):
            self._read: Any = _reader(given.base)
            self._model: Any = transformers.AutoModelForImageClassification.from_pretrained(
                given.base,
                num_labels=len(self._labels.names),
                id2label=dict(enumerate(self._labels.names)),
                label2id={name: at for at, name in enumerate(self._labels.names)},
                ignore_mismatched_sizes=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
            ).to(device())
        self._is_probe = given.values["train"] == "head"
        if self._is_probe:
            for name, weight in self._model.named_parameters():
                weight.requires_grad = name.split(".")[0] in _HEADS
        self._learner = Learner(
            {"model": self._model}, self._model.parameters(), given.values, len(given.train)
        )
        self.total = self._learner.total
        self._seen: dict[tuple[int, int], Any] = {}
        self._held = 0

    def step(self, number: int) -> Mapping[str, float]:
        # The features of a probe are the base's, so what is in it stands as it does in use.
        self._model.train(mode=not self._is_probe)
        return self._learner.step(number, self._loss)

    def evaluate(self) -> Mapping[str, float]:
        count = len(self._given.valid)
        if not count:
            return {}
        self._model.eval()
        right, loss = 0, 0.0
        for start in range(0, count, _EVALUATED_AT_ONCE):
            places = range(start, min(start + _EVALUATED_AT_ONCE, count))
            with torch.inference_mode(), telling_of_memory():
                logits = self._model(pixel_values=self._pixels(1, places)).logits
            truth = self._truth(self._labels.valid, places)
            right += int((logits.argmax(-1) == truth).sum())
            loss += float(torch.nn.functional.cross_entropy(logits, truth, reduction="sum"))
        return {"accuracy": right / count, "eval_loss": loss / count}

    def save(self, folder: Path) -> None:
        self._learner.save(folder)

    def load(self, folder: Path) -> None:
        self._learner.load(folder)

    def export(self, folder: Path) -> None:
        self._model.eval().save_pretrained(folder, safe_serialization=True)
        self._read.save_pretrained(folder)

    def _loss(self, places: Sequence[int]) -> Any:
        logits = self._model(pixel_values=self._pixels(0, places)).logits
        return torch.nn.functional.cross_entropy(logits, self._truth(self._labels.train, places))

    def _truth(self, numbers: Sequence[int], places: Sequence[int]) -> Any:
        return torch.tensor([numbers[place] for place in places], device=device())

    def _pixels(self, which: int, places: Sequence[int]) -> Any:
        return torch.stack([self._image(which, place) for place in places]).to(device())

    def _image(self, which: int, place: int) -> Any:
        """One image as the model takes it; kept, as long as there are not too many."""
        if (which, place) in self._seen:
            return self._seen[which, place]
        rows: Rows = (self._given.train, self._given.valid)[which]
        image = image_at(rows, self._given.columns["image_column"], place)
        pixels = self._read(images=image, return_tensors="pt")["pixel_values"][0]
        if self._held < _CACHE_BYTES:
            self._held += pixels.nbytes
            self._seen[which, place] = pixels
        return pixels


def _reader(base: Path) -> Any:
    """What makes tensors of images for the base."""
    return transformers.AutoImageProcessor.from_pretrained(base, trust_remote_code=False)
