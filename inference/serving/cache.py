"""Which models are warm: the least recently used ones leave when another needs their memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from inference.errors import OutOfMemory
from inference.runtimes.ports import ModelRef, Runtime

log = structlog.get_logger(__name__)

Load = Callable[[ModelRef], Runtime]
Foresee = Callable[[ModelRef], int]
"""About how many bytes a model will hold, told before it is loaded."""


class ModelCache:
    """Loaded models within ``budget`` bytes. One that is in use is pinned: it never leaves."""

    def __init__(self, load: Load, *, budget: int, foresee: Foresee = lambda _ref: 0) -> None:
        self._load = load
        self._foresee = foresee
        self._budget = budget
        self._models: OrderedDict[ModelRef, Runtime] = OrderedDict()
        self._pins: dict[ModelRef, int] = {}
        self._lock = threading.RLock()

    @contextmanager
    def hold(self, ref: ModelRef) -> Iterator[Runtime]:
        """Answer a model, loaded now if it is not warm, and keep it for as long as the block runs.

        Raises:
            OutOfMemory: it is larger than all that there is.
            Refusal: as its loader.
        """
        with self._lock:
            runtime = self._models.get(ref) or self._loaded(ref)
            self._models.move_to_end(ref)
            self._pins[ref] = self._pins.get(ref, 0) + 1
        try:
            yield runtime
        finally:
            with self._lock:
                self._pins[ref] -= 1

    def warm(self) -> list[ModelRef]:
        """The models that are loaded, the one used last at the end."""
        # No lock: who asks must not wait for a model that is being loaded.
        return list(self._models.copy())

    def nbytes(self) -> int:
        return sum(runtime.nbytes for runtime in self._models.copy().values())

    def make_room(self, needed: int | None = None) -> int:
        """Unload idle models until ``needed`` bytes are free, or all of them; answer how many."""
        gone = 0
        with self._lock:
            for ref in [ref for ref in self._models if not self._pins.get(ref)]:
                if needed is not None and self.nbytes() + needed <= self._budget:
                    break
                self._unload(ref)
                gone += 1
        return gone

    def _loaded(self, ref: ModelRef) -> Runtime:
        self.make_room(self._foresee(ref))
        runtime = self._attempt(ref)
        # Not before the frames that failed are gone, with all that they held.
        if runtime is None and self.make_room():
            runtime = self._attempt(ref)
        if runtime is None:
            raise OutOfMemory
        self._models[ref] = runtime
        log.info("model_loaded", model=str(ref), bytes=runtime.nbytes)
        self._pins[ref] = self._pins.get(ref, 0) + 1
        self.make_room(0)
        self._pins[ref] -= 1
        if self.nbytes() > self._budget:
            self._unload(ref)
            raise OutOfMemory
        return runtime

    def _attempt(self, ref: ModelRef) -> Runtime | None:
        try:
            return self._load(ref)
        except MemoryError:
            return None

    def _unload(self, ref: ModelRef) -> None:
        runtime = self._models.pop(ref)
        log.info("model_unloaded", model=str(ref), bytes=runtime.nbytes)
        runtime.unload()
