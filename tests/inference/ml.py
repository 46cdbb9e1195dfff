"""What tests of real models share: the group `ml` must be there, in CI at least."""

import io
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from hub.config.env import load
from inference.protocols.families import Family
from inference.runtimes.ports import ModelRef

WEIGHTS = Path(__file__).parent / "weights"
"""Written by `manage.py train_demo_models --weights`, in half precision."""
HAS_TORCH = find_spec("torch") is not None

needs_ml = pytest.mark.skipif(
    not HAS_TORCH and not load().ci,
    reason="the dependency group `ml` is not installed: no test of a real model runs",
)
"""Where WEIGHHOUSE_CI is set the tests run all the same, and fail without it."""


def ref(family: Family) -> ModelRef:
    return ModelRef("ada/model", "0" * 40, family)


def png(image: Image.Image) -> bytes:
    aside = io.BytesIO()
    image.save(aside, "PNG")
    return aside.getvalue()


def shown(raw: bytes) -> Image.Image:
    return Image.open(io.BytesIO(raw)).convert("RGB")


def quietly(_done: int, _total: int) -> None:
    """Nobody asks how far it is."""
