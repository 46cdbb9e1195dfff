"""Which bytes of the store a row names."""

import re
from collections.abc import Iterable

from hub.models import sql
from hub.storage.digests import shard_key
from hub.xet.hashing import from_text

LFS, XORBS, SHARDS = "lfs/", "xet/xorbs/", "xet/shards/"
KINDS = (LFS, XORBS, SHARDS)
"""Where bytes lie that rows name by their digest."""
_KNOWN = {
    LFS: "SELECT sha256 FROM hub_blob WHERE sha256 = ANY(%s)",
    XORBS: "SELECT hash FROM hub_xorb WHERE hash = ANY(%s)",
}
_DIGEST = re.compile(r"/([0-9a-f]{64})(?:\.idx|\.mdb)?$")


def digest_in(key: str) -> bytes:
    """Answer the digest that a key is made of, empty if it is made of none."""
    found = _DIGEST.search(key)
    if found is None:
        return b""
    return from_text(found[1]) if key.startswith(XORBS) else bytes.fromhex(found[1])


def unnamed(kind: str, keys: list[str]) -> list[str]:
    """Those of ``keys``, all of one kind, that no row names."""
    digests = {key: digest_in(key) for key in keys}
    wanted = [digest for digest in digests.values() if digest]
    if kind == SHARDS:
        return sorted(digests.keys() - set(shard_keys(wanted).values()))
    known = {digest for (digest,) in sql.rows(_KNOWN[kind], [wanted])}
    return [key for key, digest in digests.items() if digest not in known]


def shard_keys(digests: Iterable[bytes]) -> dict[bytes, str]:
    """Where those shards lie that have a row: the day on which one came is a part of its key."""
    rows = sql.rows("SELECT sha256, day FROM hub_xetshard WHERE sha256 = ANY(%s)", [list(digests)])
    return {sha256: shard_key(day, sha256) for sha256, day in rows}
