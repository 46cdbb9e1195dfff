"""How refs and abilities are told to a client of git (gitprotocol-http, -pack and -v2)."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from hub.git.pkt_line import Mark, line


class Service(StrEnum):
    """The two halves of git's protocol; upload and receive as the server sees them."""

    UPLOAD_PACK = "git-upload-pack"
    RECEIVE_PACK = "git-receive-pack"


class AdvertisedRef(NamedTuple):
    """A ref, and for an annotated tag what it comes to in the end."""

    name: str
    oid: bytes
    peeled: bytes | None = None


AGENT = "agent=weighhouse"
_ALL = "side-band-64k ofs-delta object-format=sha1"
_ABILITIES = {
    Service.UPLOAD_PACK: "multi_ack multi_ack_detailed no-done thin-pack include-tag no-progress "
    "shallow deepen-since deepen-not deepen-relative filter allow-tip-sha1-in-want "
    f"allow-reachable-sha1-in-want {_ALL}",
    Service.RECEIVE_PACK: f"report-status report-status-v2 delete-refs quiet atomic {_ALL}",
}
_ABILITIES_V2 = (
    "version 2",
    AGENT,
    "ls-refs=unborn",
    "fetch=shallow wait-for-done filter",
    "object-format=sha1",
)
_NOTHING = "0" * 40


def abilities_v2() -> bytes:
    """Tell a client of protocol v2 what it may ask for; the refs are one of these things."""
    return b"".join(line(text) for text in _ABILITIES_V2) + Mark.FLUSH.value


def refs_v0(service: Service, refs: Sequence[AdvertisedRef], head: str, *, version: int) -> bytes:
    """Tell a client of protocol v0 or v1 all refs; ``head`` is the one that HEAD stands for."""
    parts = [line(f"# service={service}"), Mark.FLUSH.value]
    if version == 1:
        parts.append(line("version 1"))
    told = list(_told(service, refs, head)) or [f"{_NOTHING} capabilities^{{}}"]
    abilities = f"{_ABILITIES[service]} {AGENT}"
    if told[0].endswith(" HEAD"):
        abilities += f" symref=HEAD:{head}"
    told[0] += f"\0{abilities}"
    return b"".join([*parts, *map(line, told), Mark.FLUSH.value])


def _told(service: Service, refs: Sequence[AdvertisedRef], head: str) -> Iterator[str]:
    if service is Service.RECEIVE_PACK:
        yield from (f"{ref.oid.hex()} {ref.name}" for ref in refs)
        return
    yield from (f"{ref.oid.hex()} HEAD" for ref in refs if ref.name == head)
    for ref in refs:
        yield f"{ref.oid.hex()} {ref.name}"
        if ref.peeled is not None:
            yield f"{ref.peeled.hex()} {ref.name}^{{}}"


_MAX_PREFIXES = 1000
"""Beyond it the prefixes are not looked at: the client picks from all refs, as the protocol has it
that it must be ready to."""


def refs_v2(arguments: Sequence[bytes], refs: Sequence[AdvertisedRef], head: str) -> bytes:
    """Answer the command ``ls-refs``."""
    flags = set(arguments)
    prefixes = tuple(
        argument.removeprefix(b"ref-prefix ").decode(errors="replace")
        for argument in arguments
        if argument.startswith(b"ref-prefix ")
    )
    if not prefixes or len(prefixes) > _MAX_PREFIXES:
        prefixes = ("",)
    told = [_spoken(ref, peel=b"peel" in flags) for ref in refs if ref.name.startswith(prefixes)]
    if "HEAD".startswith(prefixes):
        told = [*_head(refs, head, flags), *told]
    return b"".join(map(line, told)) + Mark.FLUSH.value


def _head(refs: Sequence[AdvertisedRef], head: str, flags: set[bytes]) -> list[str]:
    symref = f" symref-target:{head}" if b"symrefs" in flags else ""
    found = [f"{ref.oid.hex()} HEAD{symref}" for ref in refs if ref.name == head]
    return found or ([f"unborn HEAD{symref}"] if b"unborn" in flags and symref else [])


def _spoken(ref: AdvertisedRef, *, peel: bool) -> str:
    peeled = f" peeled:{ref.peeled.hex()}" if peel and ref.peeled is not None else ""
    return f"{ref.oid.hex()} {ref.name}{peeled}"
