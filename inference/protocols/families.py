"""Families: which kind of model a repo's files are, and which tasks it can be asked."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inference.errors import ModelNotServed, UnsafeWeights
from inference.protocols.tasks import Task

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
SAFE = ".safetensors"


class Family(StrEnum):
    """Models that one runtime loads."""

    CLIP = "open_clip"
    DIFFUSION = "diffusers"
    CAPTIONS = "blip"
    IMAGE_LABELS = "image-classification"
    TEXT_LABELS = "text-classification"
    SENTENCES = "sentences"
    ECHO = "echo"
    """Ours: answers what it was asked. It shows that everything around models works."""


TASKS: Mapping[Family, tuple[Task, ...]] = {
    Family.CLIP: (Task.ZERO_SHOT, Task.FEATURES, Task.IMAGE_FEATURES, Task.SIMILARITY),
    Family.DIFFUSION: (Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE),
    Family.CAPTIONS: (Task.IMAGE_TO_TEXT, Task.QUESTION),
    Family.IMAGE_LABELS: (Task.IMAGE_LABELS,),
    Family.TEXT_LABELS: (Task.TEXT_LABELS,),
    Family.SENTENCES: (Task.FEATURES, Task.SIMILARITY),
    Family.ECHO: tuple(Task),
}
"""The first is what a repo is asked whose card names no task."""

_ARCHITECTURES = {
    "Blip2ForConditionalGeneration": Family.CAPTIONS,
    "BlipForConditionalGeneration": Family.CAPTIONS,
    "BlipForQuestionAnswering": Family.CAPTIONS,
    "Echo": Family.ECHO,
}
_ENDINGS = {
    "ForImageClassification": Family.IMAGE_LABELS,
    "ForSequenceClassification": Family.TEXT_LABELS,
    "Model": Family.SENTENCES,
}
_ALIASES = {"image-to-text": ("image-text-to-text",), "text-to-image": ("unconditional-image",)}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model can be asked; ``task`` is what its card says it is for."""

    family: Family
    task: Task
    tasks: tuple[Task, ...]


def offer_of(paths: Collection[str], config: Mapping[str, Any], pipeline_tag: str) -> Offer:
    """Say what the model of these files can be asked; ``config`` is what ``config.json`` holds.

    Raises:
        ModelNotServed: nothing of ours loads it.
        UnsafeWeights: it would need pickled weights, or code of the repo.
    """
    family = _family(paths, config)
    if family is None:
        raise ModelNotServed("The repo has no model of a kind that is run here.")
    if family is not Family.ECHO:
        _check_safe(paths, config)
    tasks = TASKS[family]
    if family is Family.CAPTIONS and "BlipForQuestionAnswering" in _architectures(config):
        tasks = (Task.QUESTION,)
    named = next((task for task in tasks if _means(pipeline_tag, task)), tasks[0])
    return Offer(family, named, tasks)


def _means(tag: str, task: Task) -> bool:
    return tag == task or tag in _ALIASES.get(task, ())


def _family(paths: Collection[str], config: Mapping[str, Any]) -> Family | None:
    if "open_clip_config.json" in paths:
        return Family.CLIP
    if "model_index.json" in paths:
        return Family.DIFFUSION
    for name in _architectures(config):
        if name in _ARCHITECTURES:
            return _ARCHITECTURES[name]
        for ending, family in _ENDINGS.items():
            if name.endswith(ending):
                return family
    return None


def _architectures(config: Mapping[str, Any]) -> list[str]:
    named = config.get("architectures")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _check_safe(paths: Iterable[str], config: Mapping[str, Any]) -> None:
    if config.get("auto_map"):
        raise UnsafeWeights("The model needs code of its repo, and no code of a repo is run.")
    if any(path.endswith(SAFE) for path in paths):
        return
    if any(path.endswith(PICKLES) for path in paths):
        raise UnsafeWeights("The weights are pickles; only safetensors are loaded.")
    raise ModelNotServed("The repo has no weights yet.")
