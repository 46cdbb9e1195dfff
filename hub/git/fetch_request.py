"""FetchRequest: what a client wants to fetch, out of protocol v2 or v0 (gitprotocol-v2, -pack)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.git.pkt_line import PacketReader
from teams.errors import Invalid

INFINITE_DEPTH = 0x7FFFFFFF
"""The depth by which a client asks for all of history."""
MAX_NAMES = 500_000
"""How many objects one request may name as wanted or had."""
_OID = re.compile(rb"[0-9a-f]{40}")
_BLOB_LIMIT = re.compile(rb"(\d{1,18})([kmg]?)")
_ANY_SIZE = 2**31 - 1
_UNITS = {b"": 1, b"k": 1 << 10, b"m": 1 << 20, b"g": 1 << 30}


@dataclass(slots=True)
class Filter:
    """What a partial clone leaves out."""

    blob_limit: int | None = None
    """Blobs of that many bytes or more; 0 is all of them."""
    trees: bool = False
    """All trees, and with them all blobs."""

    @property
    def no_blobs(self) -> bool:
        return self.trees or self.blob_limit == 0


@dataclass(slots=True)
class Deepening:
    """How much of history a shallow clone is to have from now on."""

    depth: int = 0
    relative: bool = False
    """``depth`` counts from where the clone ends now."""
    since: datetime | None = None
    without: list[str] = field(default_factory=list)
    """Refs whose history is not to be sent."""

    def __bool__(self) -> bool:
        return bool(self.depth or self.since or self.without)


@dataclass(slots=True)
class FetchRequest:
    """One round of a negotiation. The server keeps nothing between rounds: each tells all."""

    wants: list[bytes] = field(default_factory=list)
    haves: list[bytes] = field(default_factory=list)
    shallow: set[bytes] = field(default_factory=set)
    """Commits of the client whose parents it does not have."""
    deepening: Deepening = field(default_factory=Deepening)
    filter: Filter = field(default_factory=Filter)
    flags: set[str] = field(default_factory=set)
    done: bool = False
    version: int = 2
    talks: bool = True
    """False where a v0 client only asks where its shallow clone is to end."""

    @property
    def says_ready(self) -> bool:
        """The client wants to be told when enough is known, and reads the word for it."""
        if self.version == 2:  # noqa: PLR2004 - the number is its name
            return bool(self.wants) and "wait-for-done" not in self.flags
        return "multi_ack_detailed" in self.flags

    def expects_pack(self, *, ready: bool) -> bool:
        """Whether this round ends with a pack; ``ready`` says that we know enough for one."""
        if self.done:
            return True
        if self.version == 2:  # noqa: PLR2004
            return bool(self.wants) and (not self.haves or ready)
        return self.talks and ready and "no-done" in self.flags


def read_v2(lines: Iterable[bytes]) -> FetchRequest:
    """Read the arguments of the command ``fetch``.

    Raises:
        Invalid: one is malformed, or not known.
    """
    request = FetchRequest()
    for line in lines:
        _take(request, line)
    return request


def read_v0(packets: PacketReader) -> FetchRequest:
    """Read a request of protocol v0 or v1: what is wanted, a flush, what is there.

    Raises:
        Invalid: a line is malformed, or not known.
    """
    request = FetchRequest(version=0)
    for number, line in enumerate(packets.section()):
        if number == 0:
            request.flags.update(line[_WANT_BYTES:].decode(errors="replace").split())
        _take(request, line[:_WANT_BYTES] if number == 0 else line)
    request.deepening.relative = "deepen-relative" in request.flags
    request.talks = False
    for packet in packets:
        request.talks = True
        if not isinstance(packet, bytes):
            break
        _take(request, packet)
        if request.done:
            break
    return request


_WANT_BYTES = len("want ") + 40


def _take(request: FetchRequest, line: bytes) -> None:
    word, _, value = line.partition(b" ")
    if word == b"want":
        _limited(request.wants).append(_oid(value))
    elif word == b"have":
        _limited(request.haves).append(_oid(value))
    elif word == b"shallow":
        request.shallow.add(_oid(value))
    elif word == b"filter":
        request.filter = read_filter(value)
    elif word == b"done":
        request.done = True
    elif word.startswith(b"deepen"):
        _deepen(request.deepening, word, value)
    elif not value:
        request.flags.add(word.decode(errors="replace"))
    else:
        raise Invalid(f"This is not understood: {line[:60].decode(errors='replace')!r}")


def _deepen(deepening: Deepening, word: bytes, value: bytes) -> None:
    if word == b"deepen-relative":
        deepening.relative = True
    elif word == b"deepen-not":
        deepening.without.append(value.decode(errors="replace"))
    elif word == b"deepen-since":
        deepening.since = _moment(value)
    else:
        deepening.depth = min(_number(value), INFINITE_DEPTH)


def read_filter(text: bytes) -> Filter:
    """Read a filter: ``blob:none``, ``blob:limit=1k`` or ``tree:0``.

    Raises:
        Invalid: it is none of these.
    """
    if text == b"blob:none":
        return Filter(blob_limit=0)
    if text == b"tree:0":
        return Filter(trees=True)
    found = _BLOB_LIMIT.fullmatch(text.removeprefix(b"blob:limit="))
    if found is None or not text.startswith(b"blob:limit="):
        shown = text[:60].decode(errors="replace")
        raise Invalid(f"The filter {shown!r} is not known: blob:none, blob:limit=<n> or tree:0.")
    return Filter(blob_limit=min(int(found[1]) * _UNITS[found[2]], _ANY_SIZE))


def _limited(names: list[bytes]) -> list[bytes]:
    if len(names) >= MAX_NAMES:
        raise Invalid(f"A request names at most {MAX_NAMES:,} objects.")
    return names


def _oid(text: bytes) -> bytes:
    if not _OID.fullmatch(text):
        raise Invalid(f"{text[:60].decode(errors='replace')!r} is not the id of an object.")
    return bytes.fromhex(text.decode())


def _number(text: bytes) -> int:
    if not (text.isdigit() and len(text) <= 18) or int(text) == 0:  # noqa: PLR2004 - 64 bits
        raise Invalid(f"{text[:60].decode(errors='replace')!r} is not a number that fits here.")
    return int(text)


def _moment(text: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(_number(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid("That moment is too far away.") from None
