import json
import struct
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from hub.cards.safetensors import count_parameters, read_header
from hub.errors import BadObject


def file_of(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def tensor(dtype: str = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def read(content: bytes) -> object:
    return read_header(lambda offset, length: content[offset : offset + length], len(content))


def test_header_of_a_real_file_is_read() -> None:
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "a": np.zeros((2, 3), np.float32),
        "b": np.zeros(5, np.int64),
        "c": np.zeros((), np.float16),
    }
    content = safetensors.numpy.save(arrays, metadata={"format": "pt"})

    header = read_header(lambda offset, length: content[offset : offset + length], len(content))

    assert header.metadata == {"format": "pt"}
    assert header.parameters == {"F32": 6, "I64": 5, "F16": 1}
    assert header.total == 12
    assert header.tensors["a"].shape == (2, 3)


def test_only_the_header_is_read() -> None:
    content = safetensors.numpy.save({"a": np.zeros(100_000, np.float32)})
    ends: list[int] = []

    def record(offset: int, length: int) -> bytes:
        ends.append(offset + length)
        return content[offset : offset + length]

    read_header(record, len(content))

    assert max(ends) == len(content) - 400_000


def test_parameters_of_several_files_add_up() -> None:
    content = file_of({"a": tensor()}, bytes(8))
    header = read_header(lambda offset, length: content[offset : offset + length], len(content))

    assert count_parameters([header, header]) == {"F32": 4}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({}, b""),
        (b"{}      ", b""),
        ({"a": tensor(shape=[0], offsets=[0, 0])}, b""),
        ({"a": tensor("F4", [4], [0, 2])}, bytes(2)),
        ({"a": tensor("F6_E2M3", [4], [0, 3])}, bytes(3)),
        ({"b": tensor(offsets=[8, 16]), "a": tensor()}, bytes(16)),
    ],
)
def test_unusual_but_whole_files_pass(header: object, data: bytes) -> None:
    assert read(file_of(header, data))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too short"),
        (bytes(7), "too short"),
        (bytes(8), "does not begin with"),
        (struct.pack("<Q", 2) + b"{", "longer than the file"),
        (struct.pack("<Q", 2**63) + b"{}", "larger than"),
        (file_of(b" {}"), "does not begin with"),
        (file_of(b"[]"), "does not begin with"),
        (file_of(b"{"), "not JSON"),
        (file_of(b'{"a": "\xff"}'), "not JSON"),
        (file_of(b"{} x"), "not JSON"),
        (file_of(b'{"a":' * 100_000), "not JSON"),
        (file_of(b'{"a": ' + b"1" * 5000 + b"}"), "not JSON"),
        (file_of(b'{"a": 1, "a": 2}'), "a key twice"),
        (file_of(b'{"a": {"dtype": "F32", "dtype": "F16"}}'), "a key twice"),
        (file_of({"__metadata__": {"a": 1}}), "__metadata__"),
        (file_of({"__metadata__": []}), "__metadata__"),
        (file_of({"a": 1}), "must have dtype"),
        (file_of({"a": {**tensor(), "extra": 1}}, bytes(8)), "must have dtype"),
        (file_of({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)), "must have dtype"),
        (file_of({"a": tensor("F12")}, bytes(8)), "unknown dtype"),
        (file_of({"a": {**tensor(), "dtype": ["F32"]}}, bytes(8)), "unknown dtype"),
        (file_of({"a": tensor(shape=[-2])}, bytes(8)), "no sizes"),
        (file_of({"a": tensor(shape=[2.0])}, bytes(8)), "no sizes"),
        (file_of({"a": tensor(shape=[True, 2])}, bytes(8)), "no sizes"),
        (file_of({"a": tensor(shape=2)}, bytes(8)), "no sizes"),
        (file_of({"a": tensor(shape=[2**63, 4, 0])}, bytes(8)), "beyond counting"),
        (file_of({"a": tensor(offsets=[8, 0])}, bytes(8)), "no range"),
        (file_of({"a": tensor(offsets=[0, 4, 8])}, bytes(8)), "no range"),
        (file_of({"a": tensor(offsets=[0, 4])}, bytes(4)), "length of its dtype"),
        (file_of({"a": tensor(offsets=[4, 12])}, bytes(12)), "a gap before"),
        (file_of({"a": tensor(), "b": tensor(offsets=[12, 20])}, bytes(20)), "a gap before"),
        (file_of({"a": tensor(), "b": tensor()}, bytes(8)), "overlaps"),
        (file_of({"a": tensor(), "b": tensor(offsets=[4, 12])}, bytes(12)), "overlaps"),
        (file_of({"a": tensor()}, bytes(9)), "fill the file"),
        (file_of({"a": tensor()}, bytes(7)), "fill the file"),
        (file_of({}, b"x"), "fill the file"),
    ],
)
def test_broken_file_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(BadObject, match=reason):
        read(content)


def test_store_that_ends_early_is_noticed() -> None:
    with pytest.raises(BadObject, match="ends within"):
        read_header(lambda _offset, _length: b"", 100)
