"""Folders as a worker hands them to a training: rows in Arrow, and what is asked for."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from inference.training.process import Child
from inference.training.recipes import about
from inference.training.rows import FEATURES
from tests.pictures import picture_of

IMAGE = {"_type": "Image"}
LABEL = {"_type": "ClassLabel", "names": ["dark", "light"]}
_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_rows(folder: Path, rows: Sequence[tuple[bytes | None, int | None]]) -> None:
    """Rows of an image and a label, as the split to learn from."""
    features = json.dumps({"info": {"features": {"image": IMAGE, "label": LABEL}}})
    schema = pa.schema([("image", _PICTURE), ("label", pa.int64())], metadata={FEATURES: features})
    values = [{"image": {"bytes": raw, "path": None}, "label": label} for raw, label in rows]
    with pa.ipc.new_file(str(folder / "train.arrow"), schema) as file:
        file.write_table(pa.Table.from_pylist(values, schema=schema))


def shades(count: int = 24) -> list[tuple[bytes | None, int | None]]:
    """Dark and light pictures in turn."""
    return [(picture_of(60 + 140 * (at % 2), at), at % 2) for at in range(count)]


def asked(
    folder: Path, recipe: str, parameters: Mapping[str, Any], base: Path | None = None
) -> Path:
    """Ask for a training in ``folder``; answer it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "train.arrow").exists():
        write_rows(folder, shades())
    told = {
        "recipe": recipe,
        "base": str(base or folder),
        "values": about(recipe).values(parameters),
    }
    (folder / "asked.json").write_text(json.dumps(told))
    return folder


def trained(folder: Path) -> list[Mapping[str, Any]]:
    """Let a child do what ``folder`` asks for; all that it told."""
    child = Child(folder)
    try:
        return list(child.lines(lambda: None))
    finally:
        child.end()


def losses(lines: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    return {line["step"]: line["figures"]["loss"] for line in lines if "step" in line}


def digest(folder: Path) -> str:
    """Of the weights that were made in ``folder``."""
    return hashlib.sha256((folder / "made" / "model.safetensors").read_bytes()).hexdigest()
