"""The parsers that strangers feed, each with samples that it takes and errors that it may raise."""

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO

from hub.errors import BadObject
from hub.git.deltas import apply_delta, made_size, tree_delta
from hub.git.fetch_request import read_v0, read_v2
from hub.git.fsck import TreeChecker, check_commit, check_gitmodules, check_tag
from hub.git.objects import Kind, hash_object, parse_commit, parse_pointer, parse_tree, tagged
from hub.git.pack_reader import Limits, read_pack
from hub.git.pkt_line import Mark, PacketReader, line, packet
from hub.git.push_request import PushRequest
from hub.git.unpacked import Base
from hub.xet.shards import parse_shard, verify_file, verify_xorb_info
from hub.xet.xorbs import XorbIndex, decode_chunks, verify_xorb
from teams.errors import Invalid, Refusal
from tests.hub.git.packs import blob, delta, ofs_delta, pack, ref_delta, sealed, whole
from tests.hub.xet.samples import HELLO, HELLO_SHARD, FileSample, index_of, shard_of, xorb_of


@dataclass(frozen=True)
class Target:
    """One parser: ``share`` is its part of all inputs, ``seal`` what makes a sample plausible."""

    parse: Callable[[bytes], object]
    samples: tuple[bytes, ...]
    errors: tuple[type[Refusal], ...]
    share: float
    seal: Callable[[bytes], bytes] = bytes


OID = hashlib.sha1(b"", usedforsecurity=False).digest()
IDENT = b"A U Thor <a@example.org> 1700000000 +0100"
TREE = b"".join(
    mode + b" " + name + b"\0" + OID
    for mode, name in (
        (b"100644", b"a"),
        (b"40000", b"folder"),
        (b"120000", b"link"),
        (b"160000", b"module"),
        (b"100755", "süß".encode()),
    )
)
COMMIT = (
    b"tree "
    + OID.hex().encode()
    + b"\nparent "
    + OID.hex().encode()
    + b"\nauthor "
    + IDENT
    + b"\ncommitter "
    + IDENT
    + b"\ngpgsig -----BEGIN\n x\n -----END\n\nTitle\n\nBody\n"
)
TAG = b"object " + OID.hex().encode() + b"\ntype commit\ntag v1\ntagger " + IDENT + b"\n\nMessage\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
MODULES = b'[submodule "a"]\n\tpath = a\n\turl = https://example.org/a\n'


def _parse_objects(data: bytes) -> None:
    word, raw = data[:1], data[1:]
    if word == b"t":
        TreeChecker().fresh_entries(raw)
        parse_tree(raw)
    elif word == b"c":
        check_commit(raw)
        parse_commit(raw)
    elif word == b"g":
        check_tag(raw)
        tagged(raw)
    elif word == b"m":
        check_gitmodules(raw)
    else:
        parse_pointer(raw)


def _parse_packets(data: bytes) -> None:
    word, rest = data[:1], data[1:]
    reader = PacketReader(BytesIO(rest))
    if word == b"p":
        PushRequest.read(reader)
    elif word == b"0":
        read_v0(reader)
    elif word == b"2":
        read_v2(reader.section())
    else:
        list(reader)


def _requests() -> tuple[bytes, ...]:
    oid, flush = "1" * 40, Mark.FLUSH.value
    command = packet(f"{'0' * 40} {oid} refs/heads/main\0 report-status side-band-64k".encode())
    wants = line(f"want {oid} multi_ack_detailed side-band-64k ofs-delta") + line(f"want {oid}")
    shallow = line(f"shallow {oid}") + line("deepen 3") + line("filter blob:limit=1k")
    arguments = [f"want {oid}", f"have {oid}", "ofs-delta", "deepen-since 1700000000"]
    arguments += ["deepen-not refs/heads/x", "deepen-relative", "filter tree:0", "done"]
    return (
        b"p" + command + packet(f"{oid} {'0' * 40} refs/heads/dev".encode()) + flush + b"PACK",
        b"0" + wants + shallow + flush + line(f"have {oid}") + flush + line("done"),
        b"2" + b"".join(map(line, arguments)) + flush,
        b"x" + line("one") + Mark.DELIMITER.value + packet(b"\1" * 300) + Mark.RESPONSE_END.value,
    )


ONE, TWO = b"one\n" * 20, b"one\n" * 16 + b"two\n" * 8
LIMITS = Limits(inflated_bytes=1 << 22, blob_bytes=1 << 20, tree_bytes=1 << 20, depth=50)


def _packs() -> tuple[bytes, ...]:
    first = whole(Kind.BLOB, ONE)
    git = [whole(Kind.TREE, TREE), whole(Kind.COMMIT, COMMIT), whole(Kind.TAG, TAG)]
    deltas = [ofs_delta(len(first), delta(ONE, TWO)), ref_delta(blob(TWO), delta(TWO, ONE + TWO))]
    thin = [ref_delta(OID, delta(b"", ONE)), ref_delta(blob(ONE), delta(ONE, TWO))]
    return tuple(pack(entries)[:-20] for entries in ([first, *deltas], git, thin, [*git, first]))


def _find_bases(oids: object) -> Mapping[bytes, Base]:
    return {OID: Base(Kind.BLOB, b"")}


def _read_pack(data: bytes) -> None:
    with read_pack(
        BytesIO(data), find_bases=_find_bases, visit=lambda *_object: None, limits=LIMITS
    ) as found:
        for oid in found:
            kind = found.kind(oid)
            assert kind is not None
            assert hash_object(kind, found.raw(oid)) == oid
        for row in (*found.rows(deltas=False), *found.rows(deltas=True)):
            zlib.decompress(row.data)


def _apply_delta(data: bytes) -> None:
    size = made_size(data)
    assert len(apply_delta(ONE, data)) == size


CHUNKS = [b"chunk %d " % number * 20 for number in range(6)]
XORBS = [xorb_of(CHUNKS, scheme) for scheme in (0, 1, 2)]
INDEX: dict[bytes, XorbIndex] = {
    index.hash: index for index in [index_of(CHUNKS), index_of([HELLO])]
}


def _verify_xorb(data: bytes) -> None:
    kept: list[bytes] = []

    def keep(piece: bytes | memoryview) -> int:
        kept.append(bytes(piece))
        return len(piece)

    index = verify_xorb(BytesIO(data), keep, expected=XORBS[0][0])
    decoded = b"".join(map(bytes, decode_chunks(b"".join(kept))))
    assert len(decoded) == index.raw_bytes


def _index_of(xorb: bytes) -> XorbIndex:
    if xorb not in INDEX:
        raise BadObject("There is no such xorb.")
    return INDEX[xorb]


def _parse_shard(data: bytes) -> None:
    shard = parse_shard(data)
    for file in shard.files:
        verify_file(file, _index_of)
    for info in shard.xorbs:
        verify_xorb_info(info, _index_of(info.hash))


def _shards() -> tuple[bytes, ...]:
    index = index_of(CHUNKS)
    files = [FileSample.over((index, 0, 3)), FileSample.over((index, 2, 6), (index, 0, 1))]
    return HELLO_SHARD, shard_of(files, [index]), shard_of(files), shard_of([], [index])


TARGETS = {
    "pkt-lines and requests": Target(_parse_packets, _requests(), (Invalid,), 0.25),
    "packs": Target(_read_pack, _packs(), (BadObject,), 0.25, sealed),
    "deltas": Target(
        _apply_delta,
        (delta(ONE, TWO), tree_delta(ONE, ONE * 3), delta(ONE, b"x")),
        (BadObject,),
        0.1,
    ),
    "git objects": Target(
        _parse_objects,
        (b"t" + TREE, b"c" + COMMIT, b"g" + TAG, b"m" + MODULES, b"p" + POINTER),
        (BadObject,),
        0.1,
    ),
    "xorbs": Target(_verify_xorb, tuple(body for _xorb, body in XORBS), (BadObject,), 0.15),
    "shards": Target(_parse_shard, _shards(), (BadObject,), 0.15),
}
