"""The stream client against a live hub: killed, resumed and dealt out anew."""

import json
import random
from collections.abc import Iterator
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler

from client.weighhouse_stream import Rows, RowStream
from tests.cast import Cast
from tests.datasets_app.planting import numbered, plant


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint(transactional_db: None) -> Iterator[str]:
    """The product in a thread, on the test's own database."""
    with make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_readers_that_stop_anywhere_see_each_row_once_however_many_go_on(
    endpoint: str, cast: Cast
) -> None:
    plant(cast, [numbered(0, 150), numbered(150, 230)], rows_a_group=20)
    rows = Rows(endpoint, "ada/data", seed=5, lanes=6, query={"batch_rows": "7", "columns": "id"})
    chance = random.Random(3)
    seen: list[int] = []
    states: list[dict[str, object]] = []
    for world in (2, 3, 1):
        readers = [RowStream(rows, rank, world) for rank in range(world)]
        for reader in readers:
            if states:
                reader.load_state_dict(*states)
        last = world == 1
        for reader in readers:
            for row in reader.rows():
                seen.append(row["id"])
                if not last and chance.random() < 0.03:
                    break
        mine = [
            (number, at)
            for reader in readers
            for number, at in reader.state_dict()["lanes"].items()
            if int(number) % world == reader.rank
        ]
        states = [{"lanes": json.loads(json.dumps(dict(mine))), "turn": 0}]

    assert sorted(seen) == list(range(230))
    assert seen != sorted(seen)
