"""Task and events: what a parent asks of a child that reads files, and what it hears."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pyarrow as pa

Mode = Literal["export", "link", "preview"]


@dataclass(frozen=True, slots=True)
class Task:
    """Read one source."""

    mode: Mode
    builder: str
    files: list[dict[str, Any]]
    """``name``, ``path`` and ``size`` of each: one, or those of a folder."""
    out: str
    """The folder for what is written."""
    params: Mapping[str, Any] = field(default_factory=dict)
    schema: str | None = None
    """What the card says that the columns are, or what all sources of the config agreed upon."""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Task":
        return cls(**json.loads(data))


def packed(schema: pa.Schema) -> str:
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def unpacked(text: str) -> pa.Schema:
    return pa.ipc.read_schema(pa.BufferReader(base64.b64decode(text)))
