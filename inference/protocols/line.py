"""The direct line between web and a worker: JSON, with bytes as base64."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference.errors import InputRejected
from inference.protocols.families import Family
from inference.protocols.tasks import FIELDS, Call, FieldKind, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What web asks of a worker."""

    repo: str
    commit: str
    family: Family
    call: Call
    token: str = ""
    """With which the worker fetches the model; empty where it has it, or anybody may."""
    seconds: float = 60.0
    """How long the one who asks will wait."""


def write_asking(asking: Asking) -> bytes:
    values = {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in asking.call.values.items()
    }
    return json.dumps(
        {
            "repo": asking.repo,
            "commit": asking.commit,
            "family": asking.family,
            "task": asking.call.task,
            "values": values,
            "token": asking.token,
            "seconds": asking.seconds,
        }
    ).encode()


def read_asking(raw: bytes) -> Asking:
    """Read what :func:`write_asking` wrote; web has checked its values.

    Raises:
        InputRejected: it is something else.
    """
    try:
        told = json.loads(raw)
        task = Task(told["task"])
        return Asking(
            repo=told["repo"],
            commit=told["commit"],
            family=Family(told["family"]),
            call=Call(task, _values(task, told["values"])),
            token=told["token"],
            seconds=float(told["seconds"]),
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise InputRejected(f"That is no call: {problem}") from None


def _values(task: Task, told: Mapping[str, Any]) -> dict[str, Any]:
    images = {field.name for field in FIELDS[task] if field.kind is FieldKind.IMAGE}
    return {
        name: base64.b64decode(value) if name in images and value is not None else value
        for name, value in told.items()
    }
