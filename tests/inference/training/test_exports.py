"""The same weights are the same bytes, in whatever order a library told of them."""

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file

from inference.training.exports import put_in_order

ABOUT = {"format": "pt", "adapter": '{"r": 8, "größe": "1\\n2"}'}


def written(file: Path, about: dict[str, str] | None) -> Path:
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    told = {**({"__metadata__": about} if about else {}), "w": tensor}
    header = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    header = header.ljust(-(-len(header) // 8) * 8)
    body = np.array([1, 2], np.float32).tobytes()
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(len(header).to_bytes(8, "little") + header + body)
    return file


def test_what_files_tell_of_themselves_comes_in_one_order(tmp_path: Path) -> None:
    one = written(tmp_path / "unet" / "one.safetensors", ABOUT)
    other = written(tmp_path / "other.safetensors", dict(reversed(ABOUT.items())))
    assert one.read_bytes() != other.read_bytes()

    put_in_order(tmp_path)

    assert one.read_bytes() == other.read_bytes()
    assert load_file(one)["w"].tolist() == [1, 2]
    with safe_open(one, "np") as opened:
        assert opened.metadata() == ABOUT


def test_a_file_that_tells_nothing_of_itself_stays_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path / "plain.safetensors", None)
    before = file.read_bytes()

    put_in_order(tmp_path)

    assert file.read_bytes() == before
