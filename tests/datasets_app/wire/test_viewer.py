"""The viewer's API as its clients call it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client

from datasets_app.models import Snapshot, Split, State
from tests.cast import Cast
from tests.datasets_app.planting import Planted, artifact, numbered, plant

API = "/api/datasets-server"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000007000000050802000000")


@pytest.fixture
def rows(cast: Cast) -> Planted:
    return plant(cast, [numbered(0, 250), numbered(250, 430)])


def ask(what: str, planted: Planted, **more: Any) -> Any:
    answer = Client().get(f"{API}/{what}", {**planted.query, **more})
    assert answer.status_code == 200, answer.content
    assert answer["X-Revision"] == planted.commit.hex()
    return answer.json()


def ids(answer: Any) -> list[int]:
    return [row["row"]["id"] for row in answer["rows"]]


@pytest.mark.parametrize("offset", [0, 99, 240, 400, 430, 10_000])
def test_a_page_has_the_rows_from_its_offset_on(rows: Planted, offset: int) -> None:
    found = ask("rows", rows, offset=offset, length=20)

    expected = list(range(offset, min(offset + 20, 430)))
    assert ids(found) == [row["row_idx"] for row in found["rows"]] == expected
    assert found["num_rows_total"] == 430
    assert [feature["name"] for feature in found["features"]] == ["id", "kind", "text", "vector"]


def test_the_viewers_own_host_answers_the_same(rows: Planted) -> None:
    found = Client(headers={"host": "datasets-server.localhost"}).get("/splits", rows.query)

    assert found.json()["splits"] == [rows.query]


def test_filters_find_rows_across_files_in_order(rows: Planted) -> None:
    found = ask("filter", rows, where='"kind"=\'odd\' AND "id">240', length=10)
    ordered = ask("filter", rows, where='"id" < 5', orderby='"id" DESC')

    assert ids(found) == list(range(241, 261, 2))
    assert found["num_rows_total"] == 95
    assert ids(ordered) == [4, 3, 2, 1, 0]


def test_pages_of_an_order_with_equal_rows_never_overlap(rows: Planted) -> None:
    total = rows.split.num_rows or 0
    pages = [
        ids(ask("filter", rows, orderby='"kind" DESC', offset=offset, length=50))
        for offset in range(0, total, 50)
    ]

    found = [number for page in pages for number in page]
    assert found == [*range(1, total, 2), *range(0, total, 2)]


@pytest.mark.parametrize(
    ("what", "query", "status", "code"),
    [
        ("rows", {"length": "101"}, 422, "InvalidParameter"),
        ("rows", {"offset": "-1"}, 422, "InvalidParameter"),
        ("rows", {"offset": "x"}, 422, "InvalidParameter"),
        ("rows", {"split": ""}, 422, "MissingRequiredParameter"),
        ("rows", {"split": "nope"}, 404, "SplitNotFoundError"),
        ("rows", {"config": "nope"}, 404, "ConfigNotFoundError"),
        ("rows", {"dataset": "ada/nope"}, 401, "ExternalUnauthenticatedError"),
        ("filter", {"where": "repeat(text, 9) = ''"}, 422, "InvalidParameter"),
        ("filter", {"where": '"nope" = 1'}, 422, "InvalidParameter"),
        ("search", {}, 422, "MissingRequiredParameter"),
        ("search", {"query": "x"}, 500, "ResponseNotReady"),
        ("statistics", {}, 500, "ResponseNotReady"),
        ("opt-in-out-urls", {}, 501, "NotSupportedError"),
    ],
)
def test_refusals_have_the_viewers_words(
    rows: Planted, what: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = Client().get(f"{API}/{what}", {**rows.query, **query})

    assert (answer.status_code, answer["X-Error-Code"]) == (status, code), answer.content
    assert answer.json()["error"]
    assert "no-store" in answer["Cache-Control"]


def test_a_private_dataset_shows_nothing_to_strangers(cast: Cast) -> None:
    hidden = plant(cast, [numbered(0, 3)], private=True)
    stranger, owner = Client(), Client()
    stranger.force_login(cast.cleo)
    owner.force_login(cast.ada)

    refused = stranger.get(f"{API}/rows", hidden.query)
    missing = stranger.get(f"{API}/rows", {**hidden.query, "dataset": "ada/missing"})
    shown = owner.get(f"{API}/rows", hidden.query)

    assert (refused.status_code, refused["X-Error-Code"]) == (404, "ExternalAuthenticatedError")
    assert refused.content == missing.content
    assert shown.status_code == 200
    assert shown["Cache-Control"] == "private, no-store"


def test_a_split_in_the_making_shows_what_is_there(rows: Planted) -> None:
    Split.objects.update(state=State.RUNNING, num_rows=None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, numbered(0, 1).schema) as writer:
        writer.write_table(numbered(0, 7))
    before = Client().get(f"{API}/first-rows", rows.query)
    artifact(rows, "preview", data=sink.getvalue().to_pybytes())

    assert before["X-Error-Code"] == "ResponseNotReady"
    assert ids(ask("first-rows", rows)) == list(range(7))
    assert ask("is-valid", rows) == {
        "preview": True,
        "viewer": False,
        "search": False,
        "filter": False,
        "statistics": False,
    }


def test_a_broken_dataset_says_why(rows: Planted) -> None:
    Split.objects.update(
        state=State.FAILED, error_code="DatasetGenerationError", error={"message": "x.csv, row 3"}
    )

    answer = Client().get(f"{API}/rows", rows.query)

    assert answer["X-Error-Code"] == "DatasetGenerationError"
    assert answer.json()["error"] == "x.csv, row 3"


def test_a_dataset_without_configs_says_why(rows: Planted) -> None:
    Snapshot.objects.update(
        state=State.FAILED, error_code="EmptyDatasetError", error={"message": "No files."}
    )
    Split.objects.all().delete()

    answer = Client().get(f"{API}/splits", {"dataset": str(rows.repo)})

    assert (answer.status_code, answer["X-Error-Code"]) == (500, "EmptyDatasetError")


def test_sizes_files_and_infos_of_a_dataset_agree(rows: Planted) -> None:
    size, info, files = (ask(what, rows) for what in ("size", "info", "parquet"))
    whole = {"dataset": str(rows.repo)}
    by_dataset = Client().get(f"{API}/info", whole).json()

    assert size["size"]["config"]["num_rows"] == 430
    assert size["size"]["splits"][0]["num_columns"] == 4
    assert info["dataset_info"]["splits"]["train"]["num_examples"] == 430
    assert list(info["dataset_info"]["features"]) == ["id", "kind", "text", "vector"]
    assert by_dataset["dataset_info"] == {"default": info["dataset_info"]}
    assert (by_dataset["pending"], by_dataset["failed"], by_dataset["partial"]) == ([], [], False)
    assert [file["url"] for file in files["parquet_files"]] == [
        f"http://testserver/datasets/ada/data/resolve/refs%2Fconvert%2Fparquet/default/train/{at}"
        for at in ("0000.parquet", "0001.parquet")
    ]


def test_the_hubs_own_api_lists_the_files_of_the_export(rows: Planted) -> None:
    client = Client()
    listed = client.get("/api/datasets/ada/data/parquet").json()
    of_split = client.get("/api/datasets/ada/data/parquet/default/train").json()
    one = client.get("/api/datasets/ada/data/parquet/default/train/1.parquet")

    assert listed == {"default": {"train": of_split}}
    assert (one.status_code, one["Location"]) == (302, of_split[1])
    assert client.get("/api/datasets/ada/data/parquet/default/train/2.parquet").status_code == 404


def test_croissant_names_every_column(rows: Planted) -> None:
    found = Client().get("/api/datasets/ada/data/croissant").json()

    fields = found["recordSet"][1]["field"]
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert [field["@id"] for field in fields] == [
        f"default/{name}" for name in ("split", "id", "kind", "text", "vector")
    ]
    assert (fields[1]["dataType"], fields[4]["arrayShape"]) == ("cr:Int64", "2")


def test_pictures_in_cells_are_served_to_who_may_read_them(cast: Cast) -> None:
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    table = pa.table(
        {"image": pa.array([{"bytes": PNG, "path": "a.png"}, None, {"bytes": b"<svg>"}], kind)},
    )
    features = '{"info": {"features": {"image": {"_type": "Image"}}}}'
    table = table.replace_schema_metadata({"huggingface": features})
    planted = plant(cast, [table], private=True)
    owner = Client()
    owner.force_login(cast.ada)

    cells = [row["row"]["image"] for row in owner.get(f"{API}/rows", planted.query).json()["rows"]]
    shown = owner.get(cells[0]["src"])
    saved = owner.get(cells[2]["src"])

    assert (cells[0]["width"], cells[0]["height"], cells[1]) == (7, 5, None)
    assert (shown.content, shown["Content-Type"]) == (PNG, "image/png")
    assert saved["Content-Disposition"].startswith("attachment")
    assert saved["Content-Type"] == "application/octet-stream"
    assert Client().get(cells[0]["src"]).status_code == 401


def test_pictures_of_first_rows_are_there_before_the_split_is(cast: Cast) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array([{"bytes": PNG, "path": "a.png"}], kind)})
    features = '{"info": {"features": {"image": {"_type": "Image"}}}}'
    table = table.replace_schema_metadata({"huggingface": features})
    planted = plant(cast, [table])
    Split.objects.filter(pk=planted.split.pk).update(state=State.RUNNING, num_rows=None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    artifact(planted, "preview", data=sink.getvalue().to_pybytes())

    shown = ask("first-rows", planted)["rows"][0]["row"]["image"]

    picture = Client().get(shown["src"].partition("testserver")[2])
    assert (picture.status_code, picture.content) == (200, PNG)


def test_every_type_of_cell_is_json(cast: Cast) -> None:
    table = pa.table(
        {
            "when": pa.array([datetime(2020, 1, 2, tzinfo=UTC), None], pa.timestamp("ns")),
            "late": pa.array([2**62, 1], pa.timestamp("ms")),
            "money": pa.array([Decimal("1.50"), None]),
            "raw": pa.array([b"\xff\x00", b""]),
            "bad": pa.array([b"\xff\xfe", b"ok"]).view(pa.string()),
            "nan": pa.array([float("nan"), 1.0]),
            "nested": pa.array([[{"a": 1}], []]),
            "pairs": pa.array([[(1, "x")], []], pa.map_(pa.int64(), pa.string())),
            "long": pa.array(["x" * 20_000, "y"]),
            "big": pa.array([2**64 - 1, 0], pa.uint64()),
        }
    )
    planted = plant(cast, [table])

    first, second = ask("rows", planted)["rows"]

    assert first["row"]["when"].startswith("2020-01-02T00:00:00")
    assert first["row"]["money"] == "1.50"
    assert first["row"]["raw"] == "/wA="
    assert first["row"]["nan"] is None
    assert first["row"]["nested"] == [{"a": 1}]
    assert len(first["row"]["long"]) == 10_000
    assert first["truncated_cells"] == ["long"]
    assert second["row"]["bad"] == "ok"
    assert second["truncated_cells"] == []
    whole = Client().get(
        f"/datasets/{planted.repo}/cells/{planted.snapshot.pk}/default/train/0/long"
    )
    assert whole.json() == "x" * 20_000
