"""Read a safetensors header by range and check it wholly, as the format's own library would."""

import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from hub.errors import BadObject

MAX_HEADER_BYTES = 100_000_000
_LENGTH_BYTES = 8
_MAX_ELEMENTS = 2**64
_OFFSET_PAIR = 2

BITS: dict[str, int] = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "U16": 16,
    "I16": 16,
    "U32": 32,
    "I32": 32,
    "U64": 64,
    "I64": 64,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F8_E4M3": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2": 8,
    "F8_E5M2FNUZ": 8,
    "F8_E8M0": 8,
    "F16": 16,
    "BF16": 16,
    "F32": 32,
    "F64": 64,
    "C64": 64,
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: what it holds and where its bytes lie, counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int
    elements: int


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """A header that keeps every promise of the format."""

    metadata: dict[str, str]
    tensors: dict[str, Tensor]

    @property
    def parameters(self) -> dict[str, int]:
        return count_parameters([self])

    @property
    def total(self) -> int:
        return sum(tensor.elements for tensor in self.tensors.values())


def count_parameters(headers: Iterable[SafetensorsHeader]) -> dict[str, int]:
    """Parameters per dtype of a model, which may lie in several files."""
    counts: dict[str, int] = {}
    for header in headers:
        for tensor in header.tensors.values():
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.elements
    return counts


@dataclass(frozen=True, slots=True)
class TensorChange:
    """A tensor that is new, gone, or of another type or shape."""

    name: str
    old: Tensor | None
    new: Tensor | None


def changed_tensors(
    old: SafetensorsHeader | None, new: SafetensorsHeader | None
) -> list[TensorChange]:
    """What differs between two headers, by name; what tensors hold is not looked at."""
    before, after = (header.tensors if header else {} for header in (old, new))
    found = [
        TensorChange(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
    ]
    return [one for one in found if _kind(one.old) != _kind(one.new)]


def _kind(tensor: Tensor | None) -> tuple[str, tuple[int, ...]] | None:
    return (tensor.dtype, tensor.shape) if tensor else None


def read_header(read: Callable[[int, int], bytes], size: int) -> SafetensorsHeader:
    """Read and check the header of a file of ``size`` bytes; ``read`` takes offset and length.

    Raises:
        BadObject: it is not a whole and well-formed safetensors file.
    """
    if size < _LENGTH_BYTES:
        raise BadObject("The file is too short for a safetensors header.")
    (length,) = struct.unpack("<Q", _read_exactly(read, 0, _LENGTH_BYTES))
    if length > MAX_HEADER_BYTES:
        raise BadObject(f"The safetensors header is larger than {MAX_HEADER_BYTES} bytes.")
    if _LENGTH_BYTES + length > size:
        raise BadObject("The safetensors header is longer than the file.")
    entries = _parse(_read_exactly(read, _LENGTH_BYTES, length))
    metadata = _metadata(entries.pop("__metadata__", {}))
    tensors = {name: _tensor(name, entry) for name, entry in entries.items()}
    _check_layout(tensors, size - _LENGTH_BYTES - length)
    return SafetensorsHeader(metadata, tensors)


def _read_exactly(read: Callable[[int, int], bytes], offset: int, length: int) -> bytes:
    data = read(offset, length)
    if len(data) != length:
        raise BadObject("The file ends within its safetensors header.")
    return data


def _parse(header: bytes) -> dict[str, object]:
    if not header.startswith(b"{"):
        raise BadObject("The safetensors header does not begin with '{'.")
    try:
        entries = json.loads(header.decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise BadObject(f"The safetensors header is not JSON: {error}.") from None
    assert isinstance(entries, dict)  # noqa: S101  it begins with a brace
    return entries


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise BadObject("The safetensors header names a key twice.")
    return entries


def _metadata(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise BadObject("The safetensors header's __metadata__ must map text to text.")
    return value


def _tensor(name: str, entry: object) -> Tensor:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise BadObject(f"Tensor {name!r} must have dtype, shape and data_offsets.")
    dtype = entry["dtype"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise BadObject(f"Tensor {name!r} has an unknown dtype.")
    shape = _sizes(name, entry["shape"])
    offsets = _sizes(name, entry["data_offsets"])
    if len(offsets) != _OFFSET_PAIR or offsets[0] > offsets[1]:
        raise BadObject(f"Tensor {name!r} has data_offsets that are no range.")
    elements = _product(name, shape)
    if elements * BITS[dtype] != (offsets[1] - offsets[0]) * 8:
        raise BadObject(f"Tensor {name!r} does not have the length of its dtype and shape.")
    return Tensor(dtype, shape, offsets[0], offsets[1], elements)


def _sizes(name: str, value: object) -> tuple[int, ...]:
    if isinstance(value, list) and all(_is_size(item) for item in value):
        return tuple(value)
    raise BadObject(f"Tensor {name!r} has a shape or data_offsets that are no sizes.")


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_ELEMENTS


def _product(name: str, shape: tuple[int, ...]) -> int:
    elements = 1
    for size in shape:
        elements *= size
        if elements >= _MAX_ELEMENTS:
            raise BadObject(f"Tensor {name!r} has a shape beyond counting.")
    return elements


def _check_layout(tensors: dict[str, Tensor], data_size: int) -> None:
    ranges = sorted((tensor.start, tensor.end, name) for name, tensor in tensors.items())
    edges = [(0, 0, ""), *ranges]
    for (_, end, _), (start, _, name) in pairwise(edges):
        if start != end:
            raise BadObject(f"Tensor {name!r} overlaps its neighbour or leaves a gap before it.")
    if edges[-1][1] != data_size:
        raise BadObject("The tensors do not fill the file exactly.")
