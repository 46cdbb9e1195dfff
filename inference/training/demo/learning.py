"""What the small trainings share: one pass of an optimiser with a rate that rises and falls."""

from collections.abc import Callable, Iterable
from typing import Any

import structlog
import torch

log = structlog.get_logger(__name__)

_TELL_EVERY = 200


def learn(
    parameters: Iterable[Any], loss_of: Callable[[], Any], *, steps: int, rate: float
) -> float:
    """Take ``steps`` steps down what ``loss_of`` measures; answer the last loss."""
    weights = [one for one in parameters if one.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    start = min(0.3, max(0.05, 3 / steps))
    course = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=steps, pct_start=start
    )
    last = 0.0
    for step in range(1, steps + 1):
        loss = loss_of()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        course.step()
        if step % _TELL_EVERY == 0 or step == steps:
            last = float(loss.item())
            log.info("learning", step=step, of=steps, loss=round(last, 4))
    return last


def halve(folder: Any) -> None:
    """Write the weights below ``folder`` in half precision: a registry of demos stays small."""
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - only who trains needs it

    for file in sorted(folder.rglob("*.safetensors")):
        weights = load_file(file)
        half = {
            name: weight.half() if weight.is_floating_point() else weight
            for name, weight in weights.items()
        }
        save_file(half, file, metadata={"format": "pt"})
