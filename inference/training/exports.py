"""The same weights as the same bytes: what libraries leave to chance in a file is put in order.

A safetensors file begins with the length of its header in 8 bytes, little end first, and the header
in JSON, filled up with spaces. https://huggingface.co/docs/safetensors, "Format"
"""

import json
from pathlib import Path

_LENGTH = 8
_METADATA = "__metadata__"


def put_in_order(folder: Path) -> None:
    """Sort what safetensors files below ``folder`` tell of themselves; a library writes it in an
    order of each process's own. Tensors stay as and where they are."""
    for file in folder.rglob("*.safetensors"):
        with file.open("r+b") as stream:
            room = int.from_bytes(stream.read(_LENGTH), "little")
            header = json.loads(stream.read(room))
            if _METADATA not in header:
                continue
            header[_METADATA] = dict(sorted(header[_METADATA].items()))
            told = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
            # Whoever wrote it may escape more than we do, never less: then it fits.
            if len(told) <= room:
                stream.seek(_LENGTH)
                stream.write(told.ljust(room))
