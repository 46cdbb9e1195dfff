"""What is said before a pack: what both sides have, and where a shallow clone ends."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.git.fetch_request import FetchRequest
from hub.git.pkt_line import Mark, line, packet


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one round of a negotiation came to."""

    common: list[bytes] = field(default_factory=list)
    """What the client has and we have too, in the order in which it was named."""
    ready: bool = False
    """Every wanted commit leads to a common one: no need to name more."""
    shallow: list[bytes] = field(default_factory=list)
    """Commits that are to have no parents in the clone from now on."""
    unshallow: list[bytes] = field(default_factory=list)
    """Commits that had none in the clone and now get them."""


def before_pack(request: FetchRequest, agreement: Agreement) -> bytes:
    """Speak the agreement in the client's version of the protocol."""
    speak = _v0 if request.version == 0 else _v2
    return b"".join(speak(request, agreement))


def _v2(request: FetchRequest, agreement: Agreement) -> Iterator[bytes]:
    if request.haves and not request.done:
        yield line("acknowledgments")
        yield from (line(f"ACK {oid.hex()}") for oid in agreement.common)
        if not agreement.common:
            yield line("NAK")
        if not agreement.ready:
            yield Mark.FLUSH.value
            return
        yield line("ready")
        yield Mark.DELIMITER.value
    if request.deepening:
        yield line("shallow-info")
        yield from _ends(agreement)
        yield Mark.DELIMITER.value
    yield line("packfile")


def _v0(request: FetchRequest, agreement: Agreement) -> Iterator[bytes]:
    if request.deepening:
        yield from _ends(agreement)
        yield Mark.FLUSH.value
    if request.talks:
        yield from _acknowledged(request, agreement)


def _acknowledged(request: FetchRequest, agreement: Agreement) -> Iterator[bytes]:
    last = agreement.common[-1].hex() if agreement.common else ""
    several = not request.flags.isdisjoint({"multi_ack", "multi_ack_detailed"})
    if several:
        word = "common" if "multi_ack_detailed" in request.flags else "continue"
        yield from (line(f"ACK {oid.hex()} {word}") for oid in agreement.common)
    elif last:
        yield line(f"ACK {agreement.common[0].hex()}")
    if agreement.ready and not request.done:
        yield line(f"ACK {last} ready")
    if not last or (several and not request.done):
        yield line("NAK")
    if several and last and request.expects_pack(ready=agreement.ready):
        yield line(f"ACK {last}")


def _ends(agreement: Agreement) -> Iterator[bytes]:
    # Without a line end, as git writes them: libgit2 reads no other.
    yield from (packet(f"shallow {oid.hex()}".encode()) for oid in agreement.shallow)
    yield from (packet(f"unshallow {oid.hex()}".encode()) for oid in agreement.unshallow)
