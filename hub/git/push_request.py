"""PushRequest: the refs that a client wants to move (gitprotocol-pack)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.git.pkt_line import PacketReader
from hub.git.refs import RefUpdate
from teams.errors import Invalid

MAX_UPDATES = 10_000
_COMMAND = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\0]+)(?:\0(.*))?")
_SHALLOW = re.compile(rb"shallow [0-9a-f]{40}")
_NOTHING = b"0" * 40


@dataclass(frozen=True, slots=True)
class PushRequest:
    """What comes before the pack."""

    updates: tuple[RefUpdate, ...]
    abilities: frozenset[str]

    @property
    def brings_pack(self) -> bool:
        """A request that only deletes has none."""
        return any(update.new is not None for update in self.updates)

    @classmethod
    def read(cls, reader: PacketReader) -> "PushRequest":
        """Read commands up to the flush; none at all is a probe.

        Raises:
            Invalid: that is no list of commands.
        """
        abilities: set[str] = set()
        updates = tuple(_updates(reader.section(), abilities))
        if len({update.ref for update in updates}) < len(updates):
            raise Invalid("A ref is named twice.")
        return cls(updates, frozenset(abilities))


def _updates(lines: Iterator[bytes], abilities: set[str]) -> Iterator[RefUpdate]:
    for number, line in enumerate(lines):
        if number > MAX_UPDATES:
            raise Invalid(f"A push moves at most {MAX_UPDATES:,} refs.")
        if _SHALLOW.fullmatch(line):
            # Where the client's own clone ends says nothing about us: we have all of history.
            continue
        found = _COMMAND.fullmatch(line)
        if found is None:
            raise Invalid("That is not a command of git push.")
        abilities |= set((found[4] or b"").decode(errors="replace").split())
        yield RefUpdate(_ref(found[3]), _oid(found[1]), _oid(found[2]))


def _oid(text: bytes) -> bytes | None:
    return None if text == _NOTHING else bytes.fromhex(text.decode())


def _ref(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise Invalid("The name of a ref is not UTF-8.") from None
