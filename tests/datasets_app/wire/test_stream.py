"""Streams over HTTP: their forms, their ends, their tokens."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from django.test import Client

from datasets_app.models import Snapshot
from tests.cast import Cast
from tests.datasets_app.planting import Planted, numbered, plant

URL = "/api/datasets/ada/data/arrow/default/train"


@pytest.fixture
def rows(cast: Cast) -> Planted:
    return plant(cast, [numbered(0, 250), numbered(250, 430)])


def body(**query: Any) -> bytes:
    answer = Client().get(URL, query)
    assert answer.status_code == 200, answer.content
    raw: bytes = answer.getvalue()
    return raw


def read(raw: bytes) -> tuple[list[int], list[dict[bytes, bytes]]]:
    ids: list[int] = []
    told: list[dict[bytes, bytes]] = []
    with pa.ipc.open_stream(raw) as stream:
        while True:
            try:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
            except StopIteration:
                return ids, told
            ids += batch["id"].to_pylist()
            told.append(dict(metadata.items()))


@pytest.mark.usefixtures("rows")
def test_a_stream_ends_with_its_number_of_rows_and_goes_on_from_any_batch() -> None:
    query = {"columns": "id", "batch_rows": 64, "seed": 4, "filter": '"id" % 3 = 0'}
    ids, told = read(body(**query))
    token = told[3][b"hub.resume"].decode()
    rest, _ = read(body(**query, resume=token))

    assert sorted(ids) == list(range(0, 430, 3))
    assert (told[-1][b"hub.eos"], told[-1][b"hub.rows"]) == (b"1", str(len(ids)).encode())
    assert rest == ids[len(ids) - len(rest) :]
    assert 0 < len(rest) < len(ids)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("codec", ["none", "lz4", "zstd"])
def test_the_same_rows_come_in_every_form(codec: str) -> None:
    ids, _ = read(body(compression=codec))
    lines = body(format="ndjson").splitlines()
    table = pq.read_table(io.BytesIO(body(format="parquet")))
    text = pc.read_csv(io.BytesIO(body(format="csv")))

    assert ids == table["id"].to_pylist() == text["id"].to_pylist() == list(range(430))
    assert lines[7] == b'{"id":7,"kind":"odd","text":"row number 7","vector":[7.0,3.5]}'
    assert text["vector"][3].as_py() == "[3.0,1.5]"


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"columns": "nope"}, 422, "InvalidParameter"),
        ({"shard": 3, "num_shards": 3}, 422, "InvalidParameter"),
        ({"filter": "repeat(text, 9) = ''"}, 422, "InvalidParameter"),
        ({"resume": "???"}, 422, "InvalidParameter"),
        ({"compression": "brotli"}, 422, "InvalidParameter"),
        ({"format": "xml"}, 422, "InvalidParameter"),
    ],
)
def test_what_is_wrong_is_said_before_the_stream_begins(
    query: dict[str, Any], status: int, code: str
) -> None:
    answer = Client().get(URL, query)

    assert (answer.status_code, answer["X-Error-Code"]) == (status, code)


def test_tokens_outlive_nothing_that_they_are_of(rows: Planted) -> None:
    _, told = read(body(batch_rows=64))
    token = told[0][b"hub.resume"].decode()
    other = Client().get(f"{URL}?resume={token}&seed=1")
    Snapshot.objects.filter(pk=rows.snapshot.pk).delete()

    gone = Client().get(f"{URL}?resume={token}&batch_rows=64")

    assert (other.status_code, other["X-Error-Code"]) == (409, "ResumeMismatch")
    assert (gone.status_code, gone["X-Error-Code"]) == (410, "SnapshotGone")


@pytest.mark.usefixtures("rows")
def test_a_plan_tells_what_each_shard_has() -> None:
    answer = Client().get(
        "/api/datasets/ada/data/arrow-plan/default/train", {"num_shards": 3, "seed": 1}
    )
    lanes = answer.json()["lanes"]
    of_lanes = [Client().get(lane["url"]).getvalue() for lane in lanes]

    assert [len(read(raw)[0]) for raw in of_lanes] == [lane["rows"] for lane in lanes]
    assert sorted(id_ for raw in of_lanes for id_ in read(raw)[0]) == list(range(430))


@pytest.mark.usefixtures("rows")
def test_queries_answer_as_files() -> None:
    answer = Client().get(
        "/api/datasets/ada/data/sql",
        {"query": "SELECT kind, count(*) AS n FROM data GROUP BY ALL ORDER BY 1"},
    )
    refused = Client().get("/api/datasets/ada/data/sql", {"query": "SELECT * FROM '/etc/passwd'"})

    assert answer.content == b'{"kind":"even","n":215}\n{"kind":"odd","n":215}\n'
    assert (refused.status_code, refused["X-Error-Code"]) == (422, "InvalidParameter")
