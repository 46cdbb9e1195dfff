"""What is stored already is not sent again, by clients that remember nothing."""

import os

import pytest

from tests.live import LiveServer
from tests.wire import clients
from tests.wire.clients import OLD_XET, Client
from tests.wire.stories import Stories

pytestmark = pytest.mark.wire

SIZE = 200_000_000 if os.environ.get("WIRE_BIG") else 80_000_000
"""More than one xorb holds, so that the one with the changed chunk is not all there is to know."""
OLD_SIZE = 10_000_000
FEW_CHUNKS = 3 * 128 * 1024
STORED = """
from hub.queries.store import blob_store
store = blob_store()
print(sum(store.size(key) for key in store.keys("xet/xorbs/") if not key.endswith(".idx")))
"""


def stored(hub: LiveServer) -> int:
    """Bytes of all xorbs: what clients had to send."""
    return int(hub.manage("shell", "--no-imports", "--command", STORED).splitlines()[-1])


def cost_of_one_byte(stories: Stories, hub: LiveServer, client: Client, size: int) -> int:
    """Upload a file, and the same with one byte more from another home; what the second cost."""
    first = stories.tell(client, "dedup", bytes=size, insert_at=0)
    before = stored(hub)
    second = stories.tell(client, "dedup", bytes=size, insert_at=size // 2)
    assert (first["same"], second["same"]) == (True, True)
    return stored(hub) - before


def test_one_more_byte_costs_few_chunks(stories: Stories, hub: LiveServer, client: Client) -> None:
    assert 0 < cost_of_one_byte(stories, hub, client, SIZE) < FEW_CHUNKS


@pytest.mark.parametrize("release", OLD_XET)
def test_old_releases_save_the_same(stories: Stories, hub: LiveServer, release: str) -> None:
    client = clients.with_xet(clients.client("0.36.2"), release)

    assert 0 < cost_of_one_byte(stories, hub, client, OLD_SIZE) < FEW_CHUNKS


def test_the_same_file_of_another_client_is_not_sent_at_all(
    stories: Stories, hub: LiveServer
) -> None:
    client = clients.client(clients.OURS)
    stories.tell(client, "dedup", bytes=OLD_SIZE, insert_at=0)
    before = stored(hub)

    again = stories.tell(client, "dedup", bytes=OLD_SIZE, insert_at=0, again=True)

    assert again["same"]
    assert stored(hub) == before


def test_xorbs_go_straight_to_a_bucket_and_else_through_us(stories: Stories) -> None:
    told = stories.tell(clients.client(clients.OURS), "dedup", bytes=OLD_SIZE, insert_at=0)

    granted = [one for one in told["requests"] if "/xorb-commits/" in one]
    taken = [one for one in told["requests"] if "POST" in one and "/v1/xorbs/" in one]
    by_link = os.environ.get("WIRE_TOPOLOGY") == "bucket"
    assert (bool(granted), bool(taken)) == (by_link, not by_link)
