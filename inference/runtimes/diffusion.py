"""Diffusion by diffusers: pictures of texts, pictures anew, and parts of them."""

import io
import secrets
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
from PIL import Image

from inference.errors import InputRejected
from inference.protocols.adapters import lines_of
from inference.protocols.images import opened_image
from inference.protocols.tasks import MAX_EDGE, Call, Task
from inference.runtimes.adapters import Adapters
from inference.runtimes.devices import (
    device,
    held_by,
    let_go,
    loading,
    precision,
    telling_of_memory,
)
from inference.runtimes.ports import Answer, ModelRef, Picture, Step
from inference.runtimes.recipes import recipe_of, with_recipe

_SCHEDULERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # A config that was another scheduler's does not say clip_sample, whose default spoils latents.
    "DDIM": ("DDIMScheduler", {"clip_sample": False}),
    "DDPM": ("DDPMScheduler", {"clip_sample": False}),
    "DPM++ 2M": ("DPMSolverMultistepScheduler", {}),
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler a": ("EulerAncestralDiscreteScheduler", {}),
    "Heun": ("HeunDiscreteScheduler", {}),
    "LCM": ("LCMScheduler", {"clip_sample": False}),
    "PNDM": ("PNDMScheduler", {}),
    "UniPC": ("UniPCMultistepScheduler", {}),
}
_SEEDS = 2**32
_SHARED = ("num_inference_steps", "guidance_scale", "scheduler", "width", "height", "strength")


class Diffusion:
    """A diffusers repo: whichever pipeline its ``model_index.json`` names."""

    most = 8

    def __init__(self, folder: Path, ref: ModelRef) -> None:
        self._ref = ref
        with loading(str(ref)):
            pipeline: Any = diffusers.DiffusionPipeline.from_pretrained(
                folder, dtype=precision(), use_safetensors=True, local_files_only=True
            )
            self._pipelines = {Task.TEXT_TO_IMAGE: _quiet(pipeline.to(device()))}
        self._own_scheduler = pipeline.scheduler
        parts = [part for part in pipeline.components.values() if hasattr(part, "parameters")]
        self._held = held_by(*parts)
        # Those of other repos lie beside this one.
        self._adapters = Adapters(pipeline, folder.parent.parent)

    @property
    def nbytes(self) -> int:
        """Memory that its weights hold, and those of its adapters."""
        return self._held + self._adapters.nbytes

    def batch_key(self, call: Call) -> Hashable:
        """What a batch shares; prompts and seeds are each picture's own. A given image is alone."""
        if call.task is not Task.TEXT_TO_IMAGE:
            return id(call)
        adapters = lines_of(call.values.get("adapters") or ())
        return call.task, adapters, *(call.values.get(name) for name in _SHARED)

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[Answer]:
        first, steps = calls[0], calls[0]["num_inference_steps"]
        with telling_of_memory():
            self._adapters.use(first.values.get("adapters") or ())
        pipeline = self._pipeline(first)
        pipeline.scheduler = self._scheduler(first["scheduler"])
        seeds = [secrets.randbelow(_SEEDS) if c["seed"] is None else c["seed"] for c in calls]

        def told(_pipe: Any, done: int, _when: Any, held: dict[str, Any]) -> dict[str, Any]:
            # Raising ends it here: the interrupt flag of pipelines would still decode.
            step(min(done + 1, steps), steps)
            return held

        with torch.inference_mode(), telling_of_memory():
            made = pipeline(
                prompt=[call["prompt"] for call in calls],
                negative_prompt=[call["negative_prompt"] for call in calls],
                generator=[torch.Generator().manual_seed(seed) for seed in seeds],
                num_inference_steps=steps,
                guidance_scale=first["guidance_scale"],
                callback_on_step_end=told,
                **_given(first, pipeline),
            ).images
        return [
            self._kept(call, image, seed)
            for call, image, seed in zip(calls, made, seeds, strict=True)
        ]

    def unload(self) -> None:
        del self._pipelines, self._own_scheduler, self._adapters
        let_go()

    def _pipeline(self, call: Call) -> Any:
        """The pipeline of a task, made of the same parts as the first one."""
        if call.task is Task.TEXT_TO_IMAGE:
            return self._pipelines[Task.TEXT_TO_IMAGE]
        auto = diffusers.AutoPipelineForImage2Image
        if call["mask"] is not None:
            auto = diffusers.AutoPipelineForInpainting
        try:
            return _quiet(auto.from_pipe(self._pipelines[Task.TEXT_TO_IMAGE]))
        except ValueError:
            raise InputRejected("This model makes no picture of another.") from None

    def _scheduler(self, name: str | None) -> Any:
        """A fresh one for each run: they keep what they did."""
        config = self._own_scheduler.config
        if name is None:
            return type(self._own_scheduler).from_config(config)
        if "Flow" in type(self._own_scheduler).__name__:
            raise InputRejected("This model has no scheduler but its own.")
        kind, more = _SCHEDULERS[name]
        return getattr(diffusers, kind).from_config(config, **more)

    def _kept(self, call: Call, image: Image.Image, seed: int) -> Picture:
        if call.task is Task.IMAGE_TO_IMAGE and call["mask"] is not None:
            image = _overlaid(call, image)
        aside = io.BytesIO()
        image.save(aside, "PNG")
        recipe = recipe_of(
            call,
            self._ref,
            seed=seed,
            width=image.width,
            height=image.height,
            versions={"diffusers": diffusers.__version__, "torch": str(torch.__version__)},
        )
        return Picture(with_recipe(aside.getvalue(), recipe), recipe)


def _given(call: Call, pipeline: Any) -> dict[str, Any]:
    """Size and pictures, as the pipeline takes them."""
    size = {name: call[name] for name in ("width", "height") if call[name] is not None}
    if call.task is Task.TEXT_TO_IMAGE:
        return size
    image = _fitted(call, opened_image(call["image"]))
    given: dict[str, Any] = {"image": image, "strength": call["strength"]}
    if call["mask"] is None:
        return given
    mask = opened_image(call["mask"], "mask").convert("L").resize(image.size)
    return {**given, "mask_image": mask, "width": image.width, "height": image.height}


def _fitted(call: Call, image: Image.Image) -> Image.Image:
    """In the size asked for, or its own as far as models draw so large, in multiples of eight."""
    scale = min(1.0, MAX_EDGE / max(image.size))
    width = call["width"] or max(8, int(image.width * scale) // 8 * 8)
    height = call["height"] or max(8, int(image.height * scale) // 8 * 8)
    return image if image.size == (width, height) else image.resize((width, height))


def _overlaid(call: Call, made: Image.Image) -> Image.Image:
    """Put back what the mask keeps: on its way through the model it changed a little."""
    image = _fitted(call, opened_image(call["image"]))
    mask = opened_image(call["mask"], "mask").convert("L").resize(image.size)
    return Image.composite(made, image, mask)


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
