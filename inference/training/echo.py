"""Echo: learns how bright images of each label are. A training without torch, for all around it."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from inference.training import order
from inference.training.labels import labels_of
from inference.training.pictures import image_at
from inference.training.ports import Given
from inference.training.rows import Rows

_NOISE = 1e-3
_MOMENTUM = 0.9


class Brightness:
    """One number for each label, by gradient descent with momentum and a little noise."""

    def __init__(self, given: Given) -> None:
        self._given, values = given, given.values
        image = given.columns["image_column"]
        self._labels = labels_of(given.train, given.valid, given.columns["target_column"])
        self._seen = [
            np.array([_bright(rows, image, at) for at in range(len(rows))])
            for rows in (given.train, given.valid)
        ]
        self._batch, self._seed, self._lr = values["batch_size"], values["seed"], values["lr"]
        count = len(given.train)
        self.total = order.steps_of(count, batch=self._batch, epochs=values["epochs"])
        self._weights = np.zeros(len(self._labels.names))
        self._speed = np.zeros_like(self._weights)

    def step(self, number: int) -> Mapping[str, float]:
        rows = order.batch_at(
            number, count=len(self._given.train), batch=self._batch, seed=self._seed
        )
        noise = np.random.Generator(np.random.Philox(order.seed_at(number, self._seed)))
        slope, loss = np.zeros_like(self._weights), 0.0
        for row in rows:
            label = self._labels.train[row]
            miss = self._weights[label] - self._seen[0][row]
            slope[label] += 2 * miss / len(rows)
            loss += float(miss**2) / len(rows)
        self._speed = _MOMENTUM * self._speed + slope + noise.normal(0, _NOISE, slope.shape)
        self._weights = self._weights - self._lr * self._speed
        return {"loss": loss, "lr": self._lr}

    def evaluate(self) -> Mapping[str, float]:
        if not self._labels.valid:
            return {}
        misses = [
            abs(self._weights[label] - seen)
            for label, seen in zip(self._labels.valid, self._seen[1], strict=True)
        ]
        return {"mean_absolute_error": float(np.mean(misses))}

    def save(self, folder: Path) -> None:
        np.save(folder / "weights.npy", self._weights)
        np.save(folder / "speed.npy", self._speed)

    def load(self, folder: Path) -> None:
        self._weights = np.load(folder / "weights.npy", allow_pickle=False)
        self._speed = np.load(folder / "speed.npy", allow_pickle=False)

    def export(self, folder: Path) -> None:
        # The library comes with the group `ml`, and with tests.
        from safetensors.numpy import save_file  # noqa: PLC0415

        save_file({"brightness": self._weights}, folder / "model.safetensors")
        config = {
            "architectures": ["Echo"],
            "model_type": "echo",
            "labels": list(self._labels.names),
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def _bright(rows: Rows, column: str, place: int) -> float:
    image = image_at(rows, column, place)
    return float(np.asarray(image.convert("L"), dtype=np.float64).mean() / 255)
