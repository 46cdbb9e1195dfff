"""What was read and found to be damaged, and not healed since."""

from collections.abc import Iterator

from hub.models import sql
from hub.xet.hashing import to_text


def known_damage() -> Iterator[str]:
    """Xorbs and blobs that are served to nobody until somebody uploads them again."""
    for name, since in sql.rows(
        "SELECT hash, damaged_at FROM hub_xorb WHERE damaged_at IS NOT NULL ORDER BY hash"
    ):
        yield f"xorb {to_text(name)} is damaged, found at {since:%Y-%m-%d %H:%M}"
    for name, since in sql.rows(
        "SELECT sha256, damaged_at FROM hub_blob WHERE damaged_at IS NOT NULL ORDER BY sha256"
    ):
        yield f"blob {name.hex()} is damaged, found at {since:%Y-%m-%d %H:%M}"
