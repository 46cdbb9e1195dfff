"""The child process in which every training happens: ``python -m inference.training.run FOLDER``.

It reads ``asked.json`` of its folder and tells how it goes on its standard output, one JSON object
a line:

``plan``        columns, rows, steps, device and libraries, once it is prepared
``log``         a line for people
``step``        a number, with figures
``checkpoint``  a number, and the file that holds all that later steps depend on
``measured``    figures of an evaluation, with the number of the step before it
``made``        the folder of the model; the last line of a good one
``stopped``     it was asked to end and saved itself; the last line, too
``problem``     code and message; the last line of a bad one

SIGTERM asks it to save itself and end. It ends at once when its parent is gone.
"""

import ctypes
import json
import math
import os
import platform
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inference.training import exports, order, states
from inference.training.pictures import whole
from inference.training.ports import Given, Training, TrainingFailed
from inference.training.recipes import About, about, load
from inference.training.rows import Holds, Rows, held_by
from teams.errors import Refusal

Tell = Callable[[Mapping[str, Any]], None]
_PR_SET_PDEATHSIG = 1
"""Nobody trains on for a worker that is dead: prctl(2)."""
_LIBRARIES = ("numpy", "torch", "transformers", "diffusers", "peft", "safetensors")
PROBLEM = 3
"""Exit status after ``problem``."""


class _Asked:
    """Set when somebody wants this process to end."""

    to_stop = False


def main() -> None:
    """Train what the folder asks for."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, lambda *_: setattr(_Asked, "to_stop", True))
    # Whatever libraries print is no line of ours.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(line: Mapping[str, Any]) -> None:
        channel.write(json.dumps(line) + "\n")
        channel.flush()

    try:
        run(Path(sys.argv[1]), tell)
    except TrainingFailed as problem:
        tell({"problem": problem.code, "message": problem.message})
        sys.exit(PROBLEM)
    except Refusal as refusal:
        tell({"problem": "base_not_usable", "message": refusal.message})
        sys.exit(PROBLEM)
    except MemoryError:
        message = "The training needs more memory than this machine has; try a smaller batch."
        tell({"problem": "out_of_memory", "message": message})
        sys.exit(PROBLEM)


def run(folder: Path, tell: Tell) -> None:
    """Prepare, go on after the last checkpoint if there is one, and train to the end.

    Raises:
        TrainingFailed: it cannot be done; what was told before stays true.
    """
    asked = json.loads((folder / "asked.json").read_text())
    recipe, values = about(asked["recipe"]), asked["values"]
    given = _given(folder, asked, recipe, tell)
    training = load(recipe.name)(given)
    told = {"columns": given.columns, "train": len(given.train), "valid": len(given.valid)}
    tell({"plan": {**told, "steps": training.total, **_place()}})
    done = _resumed(folder, training)
    if done < training.total:
        _train(folder, training, done, values["checkpointing_steps"], tell)
    out = folder / "made"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    training.export(out)
    exports.put_in_order(out)
    tell({"made": str(out)})


def _place() -> dict[str, Any]:
    """On what it runs, and with which libraries."""
    torch = sys.modules.get("torch")
    device = f"{platform.machine()} processor, {os.cpu_count()} cores"
    if torch is not None and torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    versions = {name: version(name) for name in _LIBRARIES if name in sys.modules}
    return {"device": device, "versions": {"python": platform.python_version(), **versions}}


def _given(folder: Path, asked: Mapping[str, Any], recipe: About, tell: Tell) -> Given:
    values = asked["values"]
    train = Rows.open(folder / "train.arrow")
    columns = recipe.columns(train.schema, values)
    train = _usable(train, columns, tell)
    if (folder / "valid.arrow").exists():
        valid = _usable(Rows.open(folder / "valid.arrow"), columns, tell)
    else:
        kept, held_back = order.split(len(train), values["valid_share"], values["seed"])
        train, valid = train.only(kept), train.only(held_back)
    if len(train) < recipe.fewest:
        raise TrainingFailed(
            "too_few_rows",
            f"There are {len(train):,} rows to learn from; {recipe.title} needs {recipe.fewest}.",
        )
    return Given(base=Path(asked["base"]), train=train, valid=valid, columns=columns, values=values)


def _usable(rows: Rows, columns: Mapping[str, str], tell: Tell) -> Rows:
    """Without the rows whose images are broken, of which people are told."""
    held = held_by(rows.schema)
    for column in columns.values():
        if held.get(column) is Holds.IMAGE:
            rows, broken = whole(rows, column)
            for told in broken:
                tell({"log": f"Left out: {told}"})
    return rows


def _resumed(folder: Path, training: Training) -> int:
    """Load the checkpoint that lies here, if one does; answer how many steps it has done."""
    file = folder / "resume.tar"
    if not file.exists():
        return 0
    inside = folder / "resumed"
    states.unpack(file, inside)
    told = json.loads((inside / "run.json").read_text())
    training.load(inside)
    shutil.rmtree(inside)
    return int(told["step"])


def _train(folder: Path, training: Training, done: int, every: int, tell: Tell) -> None:
    parent = os.getppid()
    good = done
    for number in range(done + 1, training.total + 1):
        started = time.monotonic()
        figures = dict(training.step(number))
        _check_finite(figures, number, good)
        figures["seconds"] = time.monotonic() - started
        tell({"step": number, "figures": figures})
        if os.getppid() != parent:
            sys.exit(1)
        is_last = number == training.total
        if number % every == 0 or is_last or _Asked.to_stop:
            _save(folder, training, number, tell)
            good = number
        if _Asked.to_stop and not is_last:
            tell({"stopped": number})
            sys.exit(0)
        if number % every == 0 or is_last:
            tell({"measured": number, "figures": dict(training.evaluate())})


def _check_finite(figures: Mapping[str, float], number: int, good: int) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            kept = f"the checkpoint of step {good} is kept" if good else "there is no checkpoint"
            raise TrainingFailed(
                "loss_not_finite",
                f"At step {number} {name} is no number any more; {kept}. Try a lower rate.",
            )


def _save(folder: Path, training: Training, number: int, tell: Tell) -> None:
    inside = folder / "saving"
    shutil.rmtree(inside, ignore_errors=True)
    inside.mkdir()
    training.save(inside)
    (inside / "run.json").write_text(json.dumps({"step": number}))
    file = folder / f"step-{number}.tar"
    states.pack(inside, file)
    tell({"checkpoint": number, "file": str(file)})


if __name__ == "__main__":
    main()
