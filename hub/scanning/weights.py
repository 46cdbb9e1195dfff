"""Formats of weights that hold no pickle: what may still be wrong with them."""

import json
import re
from collections.abc import Iterator
from math import prod
from typing import Any, BinaryIO

from hub.scanning.pickles import look_into
from hub.scanning.verdicts import SAFE, Status, Verdict, failure, trouble

MOST_HEADER_BYTES = 100_000_000
_PREFIX_BYTES = 8
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_PIECE_BYTES = 4 * 1024 * 1024
_OVERLAP_BYTES = 256
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"(?:[\w.>]*>)?Lambda"')
_FOREIGN_FUNCTION = re.compile(
    rb'"module"\s*:\s*"(?!keras|tensorflow|tf_keras|builtins")([\w.]+)"\s*,\s*"class_name"\s*:\s*'
    rb'"function"'
)
_TEMPLATE = re.compile(
    r"__(?:class|subclasses|globals|builtins|import|mro|base|init|getattribute)__"
)
_ONNX_OUTSIDE = re.compile(rb"\x0a\x08location\x12.(?:/|[^\x00-\x1f]{0,200}?\.\./)", re.DOTALL)
_TF_OPERATION = re.compile(rb"\x12(?:\x06PyFunc|\x08ReadFile|\x09WriteFile|\x0bEagerPyFunc)")
_GGUF_MOST = 1_000_000
"""Tensors, and keys, that a file of GGUF can honestly have."""
_GGUF_READ_BYTES = 64 * 1024 * 1024
_FORMAT = "format"


def look_at_safetensors(file: BinaryIO, size: int) -> Verdict:
    """Check what the format promises: a header that tells of every byte once, and no others."""
    file.seek(0)
    length = int.from_bytes(file.read(_PREFIX_BYTES), "little")
    if size < _PREFIX_BYTES or length > min(MOST_HEADER_BYTES, size - _PREFIX_BYTES):
        return _wrong("The header does not fit into the file.")
    try:
        header = json.loads(file.read(length), object_pairs_hook=_unique)
        fault = _fault_of(header, size - _PREFIX_BYTES - length)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        fault = "The header is not as the format wants it."
    return _wrong(fault) if fault else Verdict("safetensors")


def _wrong(message: str) -> Verdict:
    return Verdict("safetensors").and_also(trouble(_FORMAT, Status.SUSPICIOUS, message))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name occurs twice.")
    return found


def _fault_of(header: dict[str, Any], data_bytes: int) -> str:
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(text, str) for text in metadata.values()):
        return "The metadata holds something other than text."
    spans: list[tuple[int, int]] = []
    for name, tensor in header.items():
        start, end = (_natural(place) for place in tensor["data_offsets"])
        bits = _BITS[tensor["dtype"]] * prod(_natural(length) for length in tensor["shape"])
        if end - start != -(-bits // 8):
            return f"The tensor {name!r} has another size than its shape says."
        spans.append((start, end))
    at = 0
    for start, end in sorted(spans):
        if start != at:
            return "Tensors overlap, or there are bytes between them of which nothing is said."
        at = end
    return "" if at == data_bytes else "There are bytes of which the header says nothing."


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("That is no size.")
    return value


def look_at_numpy(file: BinaryIO) -> Verdict:
    """An array of objects is a pickle."""
    file.seek(6)
    major = file.read(2)[:1]
    length = int.from_bytes(file.read(2 if major == b"\x01" else 4), "little")
    if length > 1024 * 1024:
        return failure("The header of the array is larger than any.")
    header = file.read(length).decode("latin-1")
    fields = header.partition("descr")[2].partition("fortran_order")[0]
    if "O" not in fields:
        return Verdict("numpy")
    found = look_into(file, expected=True)
    return Verdict("numpy").and_also(found or SAFE)


def look_at_keras(file: BinaryIO, kind: str) -> Verdict:
    """A Lambda layer is code; a configuration may name functions of any module."""
    verdict = Verdict(kind)
    for text in _windows(file):
        if _LAMBDA.search(text):
            told = "A Lambda layer: loading the model runs code that the file brings along."
            verdict = verdict.and_also(trouble("keras", Status.UNSAFE, told))
        if foreign := _FOREIGN_FUNCTION.search(text):
            named = foreign[1].decode(errors="replace")
            told = f"The configuration calls a function of the module {named}."
            verdict = verdict.and_also(trouble("keras", Status.UNSAFE, told))
    return verdict


def look_at_onnx(file: BinaryIO) -> Verdict:
    """Weights outside the file may be any file of whoever loads it."""
    if not any(_ONNX_OUTSIDE.search(text) for text in _windows(file)):
        return Verdict("onnx")
    told = "Its weights are said to lie outside of the model's own folder."
    return Verdict("onnx").and_also(trouble(_FORMAT, Status.UNSAFE, told))


def look_at_graph(file: BinaryIO) -> Verdict:
    """A graph of TensorFlow may read and write files, or call back into Python."""
    if not any(_TF_OPERATION.search(text) for text in _windows(file)):
        return Verdict("tensorflow")
    told = "The graph reads or writes files, or calls Python, whenever it runs."
    return Verdict("tensorflow").and_also(trouble(_FORMAT, Status.SUSPICIOUS, told))


def _windows(file: BinaryIO) -> Iterator[bytes]:
    """All of a file in pieces that overlap, so that nothing short is cut in two."""
    before = b""
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        yield before + piece
        before = (before + piece)[-_OVERLAP_BYTES:]


def look_at_gguf(file: BinaryIO, size: int) -> Verdict:
    """Counts that cannot be, and chat templates that reach for the interpreter."""
    file.seek(4)
    _version, tensors, keys = (int.from_bytes(file.read(width), "little") for width in (4, 8, 8))
    if max(tensors, keys) > _GGUF_MOST or tensors + keys > size:
        told = "The header counts more than the file can hold."
        return Verdict("gguf").and_also(trouble(_FORMAT, Status.SUSPICIOUS, told))
    head = file.read(_GGUF_READ_BYTES)
    at = head.find(b"tokenizer.chat_template")
    text = head[at : at + 1024 * 1024].decode(errors="replace") if at >= 0 else ""
    return Verdict("gguf").and_also(look_at_template(text))


def look_at_template(text: str) -> Verdict:
    """A chat template is a program; none needs what is behind Python's own attributes."""
    if not _TEMPLATE.search(text):
        return SAFE
    told = "The chat template reaches for the interpreter behind it."
    return trouble("template", Status.UNSAFE, told)
