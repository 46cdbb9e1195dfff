"""What does it cost to verify a xorb of float32 weights, stage by stage, in one thread?"""

import hashlib
import time
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from struct import pack

import numpy as np
from lz4 import frame as lz4_frame
from measure import MIB, Table, options

from hub.xet.chunks import ChunkHeader, Scheme, decode
from hub.xet.hashing import chunk_hash, xorb_hash
from hub.xet.xorbs import decode_chunks, verify_xorb

CHUNK_BYTES = 65_533
"""As long as chunks are on average; most do not end where a number ends."""


def main() -> None:
    asked = options(__doc__ or "")
    raw = _weights((8 if asked.quick else 63) * MIB)
    chunks = [raw[at : at + CHUNK_BYTES] for at in range(0, len(raw), CHUNK_BYTES)]
    frames = [lz4_frame.compress(_grouped(chunk), block_linked=False) for chunk in chunks]
    headers = [
        ChunkHeader(Scheme.BG4_LZ4, len(one), len(chunk))
        for one, chunk in zip(frames, chunks, strict=True)
    ]
    xorb = b"".join(map(_stored, headers, frames))
    nodes = [(chunk_hash(chunk), len(chunk)) for chunk in chunks]
    expected = xorb_hash(nodes)
    pairs = [(header, memoryview(one)) for header, one in zip(headers, frames, strict=True)]
    stages: dict[str, Callable[[], object]] = {
        "LZ4": lambda: _each(decode(h._replace(scheme=Scheme.LZ4), one) for h, one in pairs),
        "LZ4, and the bytes of each number together": lambda: _each(
            decode(h, one) for h, one in pairs
        ),
        "BLAKE3 of each chunk": lambda: _each(map(chunk_hash, chunks)),
        "the tree of their hashes": partial(xorb_hash, nodes),
        "all of it: verify_xorb": lambda: verify_xorb(BytesIO(xorb), len, expected=expected),
        "SHA-256 of the file": lambda: hashlib.sha256(raw),
        "the second look: decoded and SHA-256": lambda: _hashed(xorb),
    }
    table = Table(f"{len(raw) // MIB} MiB in {len(chunks)} chunks, best of {asked.rounds} rounds")
    for name, work in stages.items():
        least = min(_cpu(work) for _ in range(asked.rounds))
        table.note(name, len(raw) / MIB / least, "MiB for each second of CPU")
    table.print()


def _weights(size: int) -> bytes:
    rng = np.random.default_rng(1)
    return (rng.standard_normal(size // 4, dtype=np.float32) * np.float32(0.02)).tobytes()


def _grouped(chunk: bytes) -> bytes:
    return b"".join(chunk[at::4] for at in range(4))


def _stored(header: ChunkHeader, one: bytes) -> bytes:
    return pack("<II", header.stored_len << 8, header.scheme | header.raw_len << 8) + one


def _each(work: Iterable[object]) -> None:
    """Do it all, and let go of what comes out, as the product does."""
    for _ in work:
        continue


def _hashed(xorb: bytes) -> str:
    digest = hashlib.sha256()
    for chunk in decode_chunks(xorb):
        digest.update(chunk)
    return digest.hexdigest()


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
