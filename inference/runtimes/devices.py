"""The device that models run on, and how its lack of memory is heard of. Needs torch."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from inference.errors import ModelNotServed


def device() -> Any:
    """The first GPU, or the processor where there is none."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision() -> Any:
    """Half of 32 bits where the device computes with them as well; exact ones elsewhere."""
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


_BROKEN = (
    ImportError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    AssertionError,
)


@contextmanager
def telling_of_memory() -> Iterator[None]:
    """Raise MemoryError where the device has no more memory, whatever it is called there."""
    try:
        yield
    except torch.OutOfMemoryError as problem:
        torch.cuda.empty_cache()
        raise MemoryError(str(problem)) from problem
    except RuntimeError as problem:
        # The allocator of processors has no class of its own for it.
        if "can't allocate memory" not in str(problem):
            raise
        raise MemoryError(str(problem)) from problem


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Refuse a model whose files do not fit together: that is its owner's doing, no bug of ours."""
    try:
        with telling_of_memory():
            yield
    except _BROKEN as problem:
        cause = " ".join(str(problem).split())[:500]
        raise ModelNotServed(f"{what} cannot be loaded: {cause}") from problem


def held_by(*modules: Any) -> int:
    """Bytes of all weights."""
    tensors = [t for module in modules for t in (*module.parameters(), *module.buffers())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def weights_in(folder: Path) -> int:
    """Bytes of the weights on disk: about what they will hold in memory."""
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))


def let_go() -> None:
    """Free what was unloaded. Pipelines lead back to themselves, and would wait to be found."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
