"""The child in which a training happens, as its parent sees it: lines that come, and an end."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from inference.training.ports import TrainingFailed
from inference.training.run import PROBLEM

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.2
GRACE_SECONDS = 30.0
"""So long a child may take to save itself before it is killed."""
_KEPT = frozenset({"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PATH", "TMPDIR", "VIRTUAL_ENV"})
_TAIL = 2000


class Child:
    """A training that runs in a process group of its own, with no secret in its environment."""

    def __init__(self, folder: Path) -> None:
        self._errors = folder / "errors.txt"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - a program of our own
                [sys.executable, "-m", "inference.training.run", str(folder)],
                cwd=ROOT,
                env=_environ(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        # Never None, for it was asked for.
        self._output: Any = self._process.stdout
        self._whole: list[bytes] = []
        self._rest = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def lines(self, look: Callable[[], None]) -> Iterator[Mapping[str, Any]]:
        """What it tells, until its end; ``look`` is called again and again meanwhile.

        It may be called once more after ``look`` raised.

        Raises:
            TrainingFailed: it said why it cannot go on, or died.
        """
        descriptor = self._output.fileno()
        while True:
            look()
            while self._whole:
                told: Mapping[str, Any] = json.loads(self._whole.pop(0))
                if "problem" in told:
                    raise TrainingFailed(str(told["problem"]), str(told["message"]))
                yield told
            ready, _, _ = select.select([descriptor], [], [], LOOK_SECONDS)
            chunk = os.read(descriptor, 1 << 16) if ready else None
            if chunk == b"":
                break
            *whole, self._rest = (self._rest + (chunk or b"")).split(b"\n")
            self._whole += whole
        self._bury()

    def lines_within(self, seconds: float) -> Iterator[Mapping[str, Any]]:
        """What it still tells, but for so long at most."""
        end = time.monotonic() + seconds

        def look() -> None:
            if time.monotonic() > end:
                raise TimeoutError

        with suppress(TimeoutError):
            yield from self.lines(look)

    def ask_to_end(self) -> None:
        """Let it save itself and end."""
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """Kill it and all that it started."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _bury(self) -> None:
        code = self._process.wait()
        if code in {0, PROBLEM}:
            return
        raise TrainingFailed(
            "out_of_memory" if code == -signal.SIGKILL else "training_died",
            "The training was killed, most likely for want of memory; try a smaller batch."
            if code == -signal.SIGKILL
            else f"The training died (status {code}): {self._last_error()}",
        )

    def _last_error(self) -> str:
        text = self._errors.read_bytes()[-_TAIL:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing."


def _environ(folder: Path) -> dict[str, str]:
    """No secret, no network: what it needs lies in its folder."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    return kept | {
        "HF_HOME": str(folder / "cache"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_OFFLINE": "1",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        # The same sums on each try: cuBLAS asks for this.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
