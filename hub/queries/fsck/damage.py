"""What was read and found to be damaged, and not healed since."""

from collections.abc import Iterator

from hub.models import sql
from hub.xet.hashing import to_text

_TABLES = {"xorb": ("hub_xorb", "hash"), "blob": ("hub_blob", "sha256")}
_TABLES |= {"shard": ("hub_xetshard", "sha256")}


def known_damage() -> Iterator[str]:
    """What is damaged until somebody uploads it again; xorbs and blobs are served to nobody."""
    for kind, (table, key) in _TABLES.items():
        for name, since in sql.rows(
            f"SELECT {key}, damaged_at FROM {table} WHERE damaged_at IS NOT NULL ORDER BY {key}"
        ):
            text = to_text(name) if kind == "xorb" else name.hex()
            yield f"{kind} {text} is damaged, found at {since:%Y-%m-%d %H:%M}"


def counts() -> dict[str, int]:
    """How many of each kind are known to be damaged."""
    return {
        f"{kind}s": sql.rows(f"SELECT count(*) FROM {table} WHERE damaged_at IS NOT NULL")[0][0]
        for kind, (table, _key) in _TABLES.items()
    }
