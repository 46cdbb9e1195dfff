"""Read files as a child does, in this process: for files that are known to harm nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from datasets_app.readers.converting import run
from datasets_app.readers.task import Mode, Task, packed, unpacked


@dataclass
class Outcome:
    """What a task told."""

    error: dict[str, Any] | None = None
    link: dict[str, Any] | None = None
    schema: pa.Schema | None = None
    shards: list[dict[str, Any]] = field(default_factory=list)
    again: int = 0

    def tell(self, event: str, value: Any) -> None:
        if event == "shard":
            self.shards.append(value)
        elif event == "schema":
            self.schema = unpacked(value)
        elif event == "again":
            self.shards.clear()
            self.again += 1
        elif event != "read":
            setattr(self, event, value)

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.error is None, self.error
        return [row for one in self.shards for row in pq.read_table(one["file"]).to_pylist()]

    @property
    def code(self) -> str:
        assert self.error is not None, self.rows[:3]
        return str(self.error["code"])


def convert(
    folder: Path,
    builder: str,
    files: Mapping[str, bytes],
    params: Mapping[str, Any] | None = None,
    *,
    mode: Mode = "export",
    schema: pa.Schema | None = None,
) -> Outcome:
    """Export files that are given by name."""
    out = folder / "out"
    out.mkdir(parents=True)
    given = []
    for number, (name, data) in enumerate(files.items()):
        path = folder / str(number)
        path.write_bytes(data)
        given.append({"name": name, "path": str(path), "size": len(data)})
    outcome = Outcome()
    told = None if schema is None else packed(schema)
    run(Task(mode, builder, given, str(out), params or {}, told), outcome.tell)
    return outcome
