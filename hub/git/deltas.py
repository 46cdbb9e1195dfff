"""One-level tree deltas in git's own delta format (gitformat-pack, «Deltified representation»)."""

import re
from collections.abc import Callable
from functools import lru_cache

from hub.errors import BadObject

_INSERT_MAX = 0x7F
_COPY_MAX = 0xFFFFFF
_COPY = 0x80
_EMPTY_MEANS = 0x10000
_MOST_SHIFT = 56
MOST_STEPS = 2_000_000
"""Of one delta: git copies no less than 16 bytes at a time, and none of our objects has more."""
_SMALL_EDIT = 200
"""Below this many changed bytes one insertion between prefix and suffix is the whole delta."""
_ENTRY = re.compile(rb"[^\0]+\0.{20}", re.DOTALL)


def tree_delta(base: bytes, new: bytes) -> bytes:
    """Answer a delta that makes the tree ``new`` out of the tree ``base``: of trees only."""
    most = min(len(base), len(new))
    prefix = _longest(most, lambda n: base[:n] == new[:n])
    suffix = _longest(most - prefix, lambda n: base[len(base) - n :] == new[len(new) - n :])
    sizes = _varint(len(base)) + _varint(len(new))
    middle = new[prefix : len(new) - suffix]
    if len(middle) >= _SMALL_EDIT:
        return sizes + _by_entries(base, new)
    return sizes + _copy(0, prefix) + _insert(middle) + _copy(len(base) - suffix, suffix)


def made_size(delta: bytes) -> int:
    """How many bytes a delta says that it makes.

    Raises:
        BadObject: it does not say.
    """
    _base_size, at = _read_varint(delta, 0)
    return _read_varint(delta, at)[0]


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """Carry out a delta.

    Raises:
        BadObject: it does not fit ``base`` or its own declared sizes.
    """
    return b"".join(delta_parts(base, delta))


def delta_parts(base: bytes, delta: bytes, *, most: int = MOST_STEPS) -> list[bytes]:
    """Answer the pieces that a delta makes, one for each of its steps, of which ``most`` may be.

    One that would make more than it says is stopped before it has.

    Raises:
        BadObject: it does not fit ``base`` or its own declared sizes, or has too many steps.
    """
    base_size, at = _read_varint(delta, 0)
    size, at = _read_varint(delta, at)
    if base_size != len(base):
        raise BadObject("A delta is for another base.")
    parts: list[bytes] = []
    left = size
    while at < len(delta):
        op = delta[at]
        at += 1
        if op & _COPY:
            offset, length, at = _read_copy(delta, op, at)
            part = base[offset : offset + length]
        else:
            length = op
            part = delta[at : at + length]
            at += length
        left -= length
        # An operation of no length is reserved; git refuses it, too.
        if left < 0 or not 0 < length == len(part):
            raise BadObject("A delta is malformed.")
        if len(parts) == most:
            raise BadObject(f"A delta has more than {most:,} steps.")
        parts.append(part)
    if left:
        raise BadObject("A delta is malformed.")
    return parts


def _longest(most: int, same: Callable[[int], bool]) -> int:
    """The longest common length, found by halving: comparing slices beats comparing bytes."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if same(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _by_entries(base: bytes, new: bytes) -> bytes:
    """Copy the entries that ``base`` has too, insert the others."""
    where = _kept_places(base) if len(base) <= _KEPT_BYTES else _places(base)
    ops: list[bytes] = []
    fresh = b""
    start, end = 0, 0
    for entry in _ENTRY.findall(new):
        at = where.get(entry)
        if at is None:
            fresh += entry
            continue
        if fresh or at != end:
            ops += [_copy(start, end - start), _insert(fresh)]
            fresh, start, end = b"", at, at
        end += len(entry)
    return b"".join([*ops, _copy(start, end - start), _insert(fresh)])


def _places(base: bytes) -> dict[bytes, int]:
    """Where each entry of a tree begins."""
    where: dict[bytes, int] = {}
    offset = 0
    for entry in _ENTRY.findall(base):
        where[entry] = offset
        offset += len(entry)
    return where


_KEPT_BYTES = 1024 * 1024
_kept_places = lru_cache(maxsize=4)(_places)
"""Many trees in a row are compared with one keyframe."""


def _insert(data: bytes) -> bytes:
    pieces = (data[i : i + _INSERT_MAX] for i in range(0, len(data), _INSERT_MAX))
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def _copy(offset: int, length: int) -> bytes:
    out = b""
    while length:
        part = min(length, _COPY_MAX)
        op, operands = _COPY, b""
        for bit, byte in enumerate((*offset.to_bytes(4, "little"), *part.to_bytes(3, "little"))):
            if byte:
                op |= 1 << bit
                operands += bytes([byte])
        out += bytes([op]) + operands
        offset += part
        length -= part
    return out


def _read_copy(delta: bytes, op: int, at: int) -> tuple[int, int, int]:
    value = bytearray(7)
    for bit in range(7):
        if op & (1 << bit):
            if at >= len(delta):
                raise BadObject("A delta is truncated.")
            value[bit] = delta[at]
            at += 1
    length = int.from_bytes(value[4:], "little") or _EMPTY_MEANS
    return int.from_bytes(value[:4], "little"), length, at


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > _INSERT_MAX:
        out.append(number & _INSERT_MAX | _COPY)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(data):
            raise BadObject("A delta is truncated.")
        if shift > _MOST_SHIFT:
            raise BadObject("A delta tells an impossible size.")
        byte = data[at]
        number |= (byte & _INSERT_MAX) << shift
        shift += 7
        at += 1
        if not byte & _COPY:
            return number, at
