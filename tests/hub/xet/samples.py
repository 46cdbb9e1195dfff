"""Made-up data, and the bytes that a client would send for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from struct import pack

from lz4 import frame as lz4_frame

from hub.xet.hashing import Node, chunk_hash, file_hash, range_hash, swap_words, xorb_hash
from hub.xet.shards import Term
from hub.xet.xorbs import XorbIndex, verify_xorb

BOOKEND = b"\xff" * 32 + bytes(16)
SHARD_HEADER = (
    b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9") + (pack("<QQ", 2, 0))
)
PROVEN = 0xC0000000

# What hf_xet 1.8.0 sent for a file that holds "Hello World!".
HELLO = b"Hello World!"
HELLO_XORB = bytes.fromhex("000c0000000c000048656c6c6f20576f726c6421")
HELLO_SHARD = bytes.fromhex(
    "48465265706f4d6574614461746100556967456a7b815783a5bdd95ccdd14aa9"
    "02000000000000000000000000000000"
    "bd60b088ade0daa9b195cfbd7ac8e7d74f6db014045ac9326571b887d268eb6b"
    "000000c0010000000000000000000000"
    "a29cfb08e608d4d8726dd8659a90b9134b3240d5d8e42d5fcb28e2a6e763a3e8"
    "000000000c0000000000000001000000"
    "4ccb988e4563cb8923b7a7a5506bbe7592e648535df0824b2b86c35daf1ab75f"
    "00000000000000000000000000000000"
    "53fcf17f65b1837f5dd6a14881c12db92877d6a31f4b2dfc69906d1200d2dd4a"
    "00000000000000000000000000000000"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "00000000000000000000000000000000"
    "a29cfb08e608d4d8726dd8659a90b9134b3240d5d8e42d5fcb28e2a6e763a3e8"
    "00000000010000000c00000000000000"
    "a29cfb08e608d4d8726dd8659a90b9134b3240d5d8e42d5fcb28e2a6e763a3e8"
    "000000000c0000000000000000000000"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "00000000000000000000000000000000"
)
HELLO_SHA256 = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"


@cache
def lcg(size: int, seed: int) -> bytes:
    """The same noise everywhere: the high bytes of a linear congruential generator."""
    out = bytearray()
    for _ in range(size):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append(seed >> 56)
    return bytes(out)


def cut(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size


def nodes_of(chunks: Iterable[bytes]) -> list[Node]:
    return [(chunk_hash(chunk), len(chunk)) for chunk in chunks]


def stored(chunk: bytes, scheme: int = 0, *, claim: int | None = None) -> bytes:
    """One chunk with its header, which may claim another length than the chunk has."""
    grouped = b"".join(chunk[k::4] for k in range(4)) if scheme == 2 else chunk
    payload = lz4_frame.compress(grouped) if scheme else grouped
    raw_len = len(chunk) if claim is None else claim
    return pack("<II", len(payload) << 8, scheme | raw_len << 8) + payload


def xorb_of(chunks: Sequence[bytes], scheme: int = 0) -> tuple[bytes, bytes]:
    """The hash of a xorb, and its bytes."""
    return xorb_hash(nodes_of(chunks)), b"".join(stored(chunk, scheme) for chunk in chunks)


def index_of(chunks: Sequence[bytes], scheme: int = 0) -> XorbIndex:
    expected, body = xorb_of(chunks, scheme)
    return verify_xorb(BytesIO(body), len, expected=expected)


@dataclass(frozen=True)
class FileSample:
    """One file of a shard, and what its author says of it."""

    terms: tuple[Term, ...]
    proofs: tuple[bytes, ...]
    hash: bytes
    sha256: bytes = bytes(32)
    flags: int = PROVEN

    @classmethod
    def over(cls, *pieces: tuple[XorbIndex, int, int]) -> "FileSample":
        """A file that tells the truth about these chunks."""
        return cls(
            terms=tuple(Term(x.hash, a, b, x.raw_len(a, b)) for x, a, b in pieces),
            proofs=tuple(range_hash(x.hashes(a, b)) for x, a, b in pieces),
            hash=file_hash([node for x, a, b in pieces for node in x.nodes(a, b)]),
        )

    def to_bytes(self) -> bytes:
        parts = [pack("<32sII8x", self.hash, self.flags, len(self.terms))]
        parts += [pack("<32sIIII", t.xorb, 0, t.unpacked_bytes, t.start, t.end) for t in self.terms]
        parts += [proof + bytes(16) for proof in self.proofs]
        return b"".join(parts) + swap_words(self.sha256) + bytes(16)


def shard_of(files: Iterable[FileSample] = (), xorbs: Iterable[XorbIndex] = ()) -> bytes:
    parts = [SHARD_HEADER, *[file.to_bytes() for file in files], BOOKEND]
    for index in xorbs:
        parts.append(pack("<32sIIII", index.hash, 0, index.n_chunks, index.raw_bytes, 0))
        parts += [pack("<32sIIII", h, 0, size, 0, 0) for h, size in index.nodes(0, index.n_chunks)]
    return b"".join([*parts, BOOKEND])
