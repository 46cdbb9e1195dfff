"""The recipe of a picture: all that it takes to make it again, kept in the PNG itself."""

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from inference.errors import InputRejected
from inference.protocols.adapters import lines_of
from inference.protocols.tasks import FIELDS, Call, FieldKind
from inference.runtimes.ports import ModelRef

KEY = "weighhouse"
"""The text chunk of a PNG that holds the recipe."""
LINE_KEY = "parameters"
"""The one that other tools read."""


def recipe_of(call: Call, ref: ModelRef, **found: Any) -> dict[str, Any]:
    """Write down what was asked, by which model; ``found`` is what the run itself decided."""
    kinds = {field.name: field.kind for field in FIELDS[call.task]}
    told = {
        name: value
        for name, value in call.values.items()
        if value is not None and kinds[name] is not FieldKind.IMAGE
    }
    return {"task": call.task.value, "model": ref.repo, "commit": ref.commit, **told, **found}


def with_recipe(png: bytes, recipe: Mapping[str, Any]) -> bytes:
    """Answer the same picture, with its recipe inside."""
    chunks = PngInfo()
    chunks.add_itxt(KEY, json.dumps(recipe))
    chunks.add_itxt(LINE_KEY, _line(recipe))
    aside = io.BytesIO()
    Image.open(io.BytesIO(png)).save(aside, "PNG", pnginfo=chunks)
    return aside.getvalue()


def recipe_in(png: bytes) -> dict[str, Any]:
    """Read the recipe out of a picture.

    Raises:
        InputRejected: it holds none.
    """
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        recipe = json.loads(image.info[KEY])
    except (KeyError, ValueError, OSError, UnidentifiedImageError):
        raise InputRejected("The picture holds no recipe.") from None
    if not isinstance(recipe, dict):
        raise InputRejected("The picture holds no recipe.")
    return recipe


def _line(recipe: Mapping[str, Any]) -> str:
    """As other tools write it: prompt, negative prompt, then a line of settings."""
    named = {
        "Steps": recipe.get("num_inference_steps"),
        "Sampler": recipe.get("scheduler"),
        "CFG scale": recipe.get("guidance_scale"),
        "Seed": recipe.get("seed"),
        "Size": f"{recipe['width']}x{recipe['height']}" if recipe.get("width") else None,
        "Lora": ", ".join(lines_of(recipe.get("adapters") or ()).splitlines()) or None,
        "Model": f"{recipe['model']}@{str(recipe['commit'])[:12]}",
    }
    lines = [str(recipe.get("prompt", ""))]
    if recipe.get("negative_prompt"):
        lines.append(f"Negative prompt: {recipe['negative_prompt']}")
    lines.append(
        ", ".join(f"{name}: {value}" for name, value in named.items() if value is not None)
    )
    return "\n".join(lines)
