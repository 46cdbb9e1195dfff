"""LoRA adapters of a diffusers pipeline: loaded once, switched on and off, the base untouched."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.protocols.adapters import FILE, MOST
from inference.protocols.families import Family
from inference.runtimes.devices import loading
from inference.runtimes.ports import ModelRef
from inference.runtimes.snapshot import folder_of

KEPT = 2 * MOST
"""So many stay loaded beside a model."""


class Adapters:
    """Those of one pipeline. What was asked for last is on; a call without any finds the base."""

    def __init__(self, pipeline: Any, home: Path) -> None:
        self._pipeline = pipeline
        self._home = home
        self._loaded: OrderedDict[str, int] = OrderedDict()

    @property
    def nbytes(self) -> int:
        return sum(self._loaded.values())

    def use(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Run with these from now on, and with no other.

        Raises:
            ModelNotServed: one is made for another model.
            MemoryError: it does not fit.
        """
        if not wanted:
            if self._loaded:
                self._pipeline.disable_lora()
            return
        names = [self._name(one) for one in wanted]
        self._pipeline.set_adapters(names, [one["weight"] for one in wanted])
        self._pipeline.enable_lora()
        for name in names:
            self._loaded.move_to_end(name)
        while len(self._loaded) > KEPT:
            self._delete(next(iter(self._loaded)))

    def _name(self, one: Mapping[str, Any]) -> str:
        """Load it unless it is; answer what it is called in the pipeline."""
        ref = ModelRef(one["repo"], one["commit"], Family.DIFFUSION)
        name = (
            "lora_" + hashlib.sha256(f"{ref.repo.lower()}@{ref.commit}".encode()).hexdigest()[:16]
        )
        if name in self._loaded:
            return name
        file = folder_of(self._home, ref) / FILE
        try:
            with loading(f"The adapter {ref}"):
                self._pipeline.load_lora_weights(
                    file.parent,
                    weight_name=FILE,
                    adapter_name=name,
                    use_safetensors=True,
                    local_files_only=True,
                )
                self._check_is_on(name)
        except BaseException:
            self._pipeline.delete_adapters([name])
            raise
        self._loaded[name] = file.stat().st_size
        return name

    def _check_is_on(self, name: str) -> None:
        """Weights for parts that a model does not have are passed over in silence."""
        if not any(name in names for names in self._pipeline.get_list_adapters().values()):
            raise ValueError("it fits no part of the model")

    def _delete(self, name: str) -> None:
        self._pipeline.delete_adapters([name])
        del self._loaded[name]
