"""Which runtime loads which family. Each is imported when it is first needed: torch is heavy."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from inference.protocols.families import Family
from inference.runtimes.ports import Loader, ModelRef, Runtime

_HOMES: Mapping[Family, tuple[str, str]] = {
    Family.CLIP: ("clip", "Clip"),
    Family.DIFFUSION: ("diffusion", "Diffusion"),
    Family.CAPTIONS: ("blip", "Blip"),
    Family.IMAGE_LABELS: ("classification", "ImageClassifier"),
    Family.TEXT_LABELS: ("classification", "TextClassifier"),
    Family.SENTENCES: ("embeddings", "Sentences"),
    Family.ECHO: ("echo", "Echo"),
}


def load(folder: Path, ref: ModelRef) -> Runtime:
    """Load the model in ``folder``, which holds nothing but what was verified.

    Raises:
        ModelNotServed: its files do not fit together.
        MemoryError: there is not enough memory.
    """
    module, name = _HOMES[ref.family]
    loader: Loader = getattr(import_module(f"inference.runtimes.{module}"), name)
    return loader(folder, ref)
