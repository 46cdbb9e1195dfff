"""What recipes on torch share: optimiser, schedule and generators, and how they are kept."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from inference.runtimes.devices import telling_of_memory
from inference.training import order
from inference.training.ports import TrainingFailed

_FILE = "learner.pt"


class Learner:
    """Takes steps of AdamW on some weights of some modules, by the common parameters."""

    def __init__(
        self,
        modules: Mapping[str, Any],
        weights: Iterable[Any],
        values: Mapping[str, Any],
        rows: int,
    ) -> None:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        self._modules, self._values, self._rows = modules, values, rows
        self._weights = [weight for weight in weights if weight.requires_grad]
        self.total = order.steps_of(rows, batch=values["batch_size"], epochs=values["epochs"])
        self._optimiser = torch.optim.AdamW(
            self._weights, lr=values["lr"], weight_decay=values["weight_decay"]
        )
        self._course = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._share)

    def step(self, number: int, loss_of: Callable[[Sequence[int]], Any]) -> Mapping[str, float]:
        """Take step ``number`` down the mean of ``loss_of`` over the parts of its batch.

        All that ``loss_of`` draws from torch's own generators follows from the step's number.

        Raises:
            MemoryError: there is not enough for a part.
        """
        values = self._values
        rows = order.batch_at(
            number, count=self._rows, batch=values["batch_size"], seed=values["seed"]
        )
        torch.manual_seed(order.seed_at(number, values["seed"]))
        rate, whole = self._course.get_last_lr()[0], 0.0
        self._optimiser.zero_grad(set_to_none=True)
        with telling_of_memory():
            for part in _parts(rows, values["gradient_accumulation"]):
                loss = loss_of(part) * (len(part) / len(rows))
                loss.backward()
                whole += float(loss.item())
            norm = torch.nn.utils.clip_grad_norm_(
                self._weights, values["max_grad_norm"] or math.inf
            )
            # What is no number any more must not reach the weights: the last good ones are kept.
            if math.isfinite(whole):
                self._optimiser.step()
                self._course.step()
        return {"loss": whole, "lr": rate, "gradient": float(norm)}

    def save(self, folder: Path) -> None:
        state = {
            "modules": {name: module.state_dict() for name, module in self._modules.items()},
            "optimiser": self._optimiser.state_dict(),
            "course": self._course.state_dict(),
            "generator": torch.get_rng_state(),
        }
        torch.save(state, folder / _FILE)

    def load(self, folder: Path) -> None:
        try:
            state = torch.load(folder / _FILE, weights_only=True, map_location="cpu")
            for name, module in self._modules.items():
                module.load_state_dict(state["modules"][name])
            self._optimiser.load_state_dict(state["optimiser"])
            self._course.load_state_dict(state["course"])
            torch.set_rng_state(state["generator"])
        except (RuntimeError, KeyError, ValueError, OSError) as problem:
            cause = " ".join(str(problem).split())[:300]
            raise TrainingFailed(
                "bad_checkpoint", f"The checkpoint is of another training: {cause}"
            ) from problem

    def _share(self, done: int) -> float:
        """The share of the full learning rate after ``done`` steps."""
        warm = round(self.total * float(self._values["warmup_ratio"]))
        if done < warm:
            return (done + 1) / (warm + 1)
        left = max(self.total - done, 0) / max(self.total - warm, 1)
        if self._values["scheduler"] == "linear":
            return left
        if self._values["scheduler"] == "cosine":
            return 0.5 * (1 + math.cos(math.pi * (1 - left)))
        return 1.0


def _parts(rows: Sequence[int], count: int) -> list[Sequence[int]]:
    size = -(-len(rows) // count)
    return [rows[at : at + size] for at in range(0, len(rows), size)]
