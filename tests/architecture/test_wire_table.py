"""docs/wire.md tells of every wire endpoint and of no other."""

import re

from tests.wire.record import TABLE, endpoints

ROW = re.compile(r"^\| `([A-Z]+ [^`]+)` \|", re.MULTILINE)


def test_the_table_names_every_wire_endpoint_once() -> None:
    assert ROW.findall(TABLE.read_text()) == endpoints(), "run pytest tests/wire --write-wire-table"
