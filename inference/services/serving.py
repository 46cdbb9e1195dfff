"""What one worker process holds: its models, its line, and the row that says where it is."""

import os
import socket
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from inference.models import Worker
from inference.queries.workers import SILENT
from inference.runtimes.ports import ModelRef, Runtime
from inference.runtimes.registry import load
from inference.runtimes.snapshot import Snapshots, numbers_in
from inference.services.predictions import line_token
from inference.serving.batching import Batcher
from inference.serving.cache import ModelCache
from inference.serving.fetching import Fetches
from inference.serving.line import Line, Rooms

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.0
_WHOLE, _HALF = 4, 2
"""Bytes of a number, as models are loaded: exact on a processor, and half as wide on a GPU."""
_SHARE = 0.5
"""Of the memory of a machine, if nobody says how much models may hold."""
_GPU_SHARE = 0.8


@cache
def rooms() -> Rooms:
    """The models of this process; made when they are first asked for."""
    snapshots = Snapshots(
        Path(settings.MODELS_HOME), settings.INTERNAL_URL, most=settings.MODELS_BYTES
    )

    def loaded(ref: ModelRef) -> Runtime:
        return load(snapshots.folder(ref), ref)

    def foreseen(ref: ModelRef) -> int:
        return numbers_in(snapshots.folder(ref)) * (_HALF if has_gpu() else _WHOLE)

    cache_ = ModelCache(loaded, budget=_budget(), foresee=foreseen)
    batcher = Batcher(cache_)
    batcher.start()
    return Rooms(batcher, snapshots.has, Fetches(snapshots.folder), snapshots.folder, cache_.warm)


class WorkerProcess:
    """Opens the line, and says every few seconds that it is there and what is warm."""

    def __init__(self) -> None:
        self._line = Line(
            rooms(), host=settings.LINE_BIND, port=settings.LINE_PORT, token=line_token()
        )
        everywhere = settings.LINE_BIND in {"0.0.0.0", "::"}  # noqa: S104
        host = socket.gethostname() if everywhere else settings.LINE_BIND
        self._address = f"{host}:{self._line.port}"
        self._device = device_name()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._line.start()
        self._tell()
        self._thread.start()
        log.info("line_open", address=self._address, device=self._device, pid=os.getpid())

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._line.stop()
        try:
            Worker.objects.filter(address=self._address).delete()
        except DatabaseError as problem:
            log.warning("worker_not_signed_off", reason=str(problem))

    def _beat(self) -> None:
        while not self._is_over.wait(BEAT_SECONDS):
            try:
                self._tell()
            except DatabaseError as problem:
                log.warning("heartbeat_failed", reason=str(problem))
            finally:
                connections.close_all()

    def _tell(self) -> None:
        warm = [f"{ref.repo}@{ref.commit}" for ref in rooms().warm()]
        Worker.objects.update_or_create(
            address=self._address,
            defaults={"device": self._device, "warm": warm, "seen_at": timezone.now()},
        )
        Worker.objects.filter(seen_at__lt=timezone.now() - 10 * SILENT).delete()


def device_name() -> str:
    """What models run on; torch is asked only where there is a GPU, for it takes its time."""
    if not has_gpu():
        return "cpu"
    import torch  # noqa: PLC0415 - only a worker with a GPU pays for it at once

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def has_gpu() -> bool:
    return Path("/dev/nvidia0").exists() and find_spec("torch") is not None


def _budget() -> int:
    if settings.MODEL_MEMORY:
        return int(settings.MODEL_MEMORY)
    if has_gpu():
        import torch  # noqa: PLC0415 - as above

        if torch.cuda.is_available():
            return int(torch.cuda.get_device_properties(0).total_memory * _GPU_SHARE)
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE)
