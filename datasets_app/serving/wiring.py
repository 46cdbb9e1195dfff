"""Messages between a process and its child: a head in JSON, then bytes."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

_LENGTHS = struct.Struct("<IQ")
MAX_BODY = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child answers: an ``error`` in the head, or what was asked for."""

    head: Mapping[str, Any]
    body: bytes = b""


def write_message(sink: BinaryIO, head: Mapping[str, Any], body: bytes = b"") -> None:
    """Write one message whole."""
    text = orjson.dumps(head)
    sink.write(_LENGTHS.pack(len(text), len(body)))
    sink.write(text)
    sink.write(body)
    sink.flush()


def read_message(source: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one message; an empty head where there is none any more.

    Raises:
        EOFError: it breaks off.
    """
    lengths = source.read(_LENGTHS.size)
    if not lengths:
        return {}, b""
    if len(lengths) != _LENGTHS.size:
        raise EOFError
    head, body = _LENGTHS.unpack(lengths)
    if body > MAX_BODY:
        raise EOFError
    text = source.read(head)
    rest = source.read(body) if body else b""
    if len(text) != head or len(rest) != body:
        raise EOFError
    return orjson.loads(text), rest
