"""Let a child read files, and hear how far it is; it is killed when nobody wants it any more."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings

from datasets_app.errors import UnreadableFile
from datasets_app.readers.task import Task

_POLL_SECONDS = 0.5
_TOLD_BYTES = 2000


@dataclass(slots=True)
class Done:
    """What came of a task."""

    schema: str
    shards: list[dict[str, Any]] = field(default_factory=list)
    link: dict[str, Any] | None = None


def run(task: Task, on_read: Callable[[int], None]) -> Done:
    """Do a task in a child. ``on_read`` is called now and then, and may raise to end it.

    Raises:
        UnreadableFile: a file cannot be read, or the child died of it.
    """
    done = Done("")
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "datasets_app.readers.child"],
            cwd=settings.BASE_DIR,
            env={"PATH": os.defpath, "HOME": task.out, "TMPDIR": task.out, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert child.stdin is not None  # noqa: S101 - a pipe
        assert child.stdout is not None  # noqa: S101 - a pipe
        try:
            child.stdin.write(task.to_json())
            child.stdin.close()
            for event in _events(child.stdout, on_read):
                _take(event, done)
            code = child.wait()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        if code or not done.schema:
            raise _death(task, code, errors)
    return done


def _events(output: IO[bytes], on_read: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    at = 0
    waiting = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if selector.select(_POLL_SECONDS):
                piece = os.read(output.fileno(), 1 << 16)
                if not piece:
                    return
                *lines, waiting = (waiting + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    at = event.get("read", at)
                    yield event
            on_read(at)


def _take(event: dict[str, Any], done: Done) -> None:
    if error := event.get("error"):
        raise UnreadableFile(
            error["message"],
            viewer_code=error["code"],
            column=error.get("column"),
            row=error.get("row"),
        )
    if "shard" in event:
        done.shards.append(event["shard"])
    elif "again" in event:
        done.shards.clear()
    elif "link" in event:
        done.link = event["link"]
    elif "schema" in event:
        done.schema = event["schema"]


def _death(task: Task, code: int, errors: IO[bytes]) -> UnreadableFile:
    end = errors.seek(0, 2)
    errors.seek(max(0, end - _TOLD_BYTES))
    told = errors.read().decode(errors="replace").strip().splitlines()
    name = task.files[0]["name"]
    if any("MemoryError" in line or "bad_alloc" in line for line in told):
        return UnreadableFile(f"{name} takes too much memory.", viewer_code="TooBigContentError")
    how = f"by signal {-code}" if code < 0 else f"with {told[-1][:200] if told else code}"
    return UnreadableFile(
        f"The reader of {name} ended {how}.", viewer_code="JobManagerCrashedError"
    )
