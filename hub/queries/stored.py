"""Which bytes of the store a row names."""

import re

from hub.models import sql
from hub.xet.hashing import from_text

LFS, XORBS = "lfs/", "xet/xorbs/"
KINDS = (LFS, XORBS)
"""Where bytes lie that rows name by their digest."""
_KNOWN = {
    LFS: "SELECT sha256 FROM hub_blob WHERE sha256 = ANY(%s)",
    XORBS: "SELECT hash FROM hub_xorb WHERE hash = ANY(%s)",
}
_DIGEST = re.compile(r"/([0-9a-f]{64})(?:\.idx)?$")


def digest_in(key: str) -> bytes:
    """Answer the digest that a key is made of, empty if it is made of none."""
    found = _DIGEST.search(key)
    if found is None:
        return b""
    return from_text(found[1]) if key.startswith(XORBS) else bytes.fromhex(found[1])


def unnamed(kind: str, keys: list[str]) -> list[str]:
    """Those of ``keys``, all of one kind, that no row names."""
    digests = {key: digest_in(key) for key in keys}
    rows = sql.rows(_KNOWN[kind], [[digest for digest in digests.values() if digest]])
    known = {digest for (digest,) in rows}
    return [key for key, digest in digests.items() if digest not in known]
