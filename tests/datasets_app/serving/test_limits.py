"""What questions and pages may take, and reach."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from datasets_app.serving.media import medium_of
from datasets_app.serving.questions import MAX_SQL_BYTES, Questions
from datasets_app.serving.rows import RowFile, SplitRows
from datasets_app.serving.shortened import shortened

FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": list(range(5000))}), path)
    return str(path)


def asked(file: str, sql: str) -> tuple[dict[str, object], int]:
    question = {"ask": "sql", "tables": {"data": [file]}, "sql": sql, "limit": 100_000}
    answer = Questions().answer(question)
    return dict(answer.head), len(answer.body)


def test_a_result_is_never_larger_than_it_may_be(file: str) -> None:
    head, size = asked(file, "SELECT repeat('x', 1000000) FROM data LIMIT 2000")

    assert head["truncated"]
    assert 0 < size < MAX_SQL_BYTES * 1.1


@pytest.mark.parametrize("name", ["sqlite_master", "/etc/passwd", "rows.parquet"])
def test_a_name_of_a_querys_own_is_not_of_something_else_elsewhere(file: str, name: str) -> None:
    sql = f'SELECT * FROM "{name}", (WITH "{name}" AS (SELECT 1) SELECT 1)'

    head, _ = asked(file, sql)

    assert head["error"] == "invalid"


def test_pages_hold_no_more_of_a_cell_than_they_show(tmp_path: Path) -> None:
    picture = {"bytes": b"\x89PNG\r\n\x1a\n" + bytes(3_000_000), "path": "a.png"}
    rows = {"image": pa.array([picture, None] * 20, FILE), "text": ["x" * 200_000, None] * 20}
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(rows), path, row_group_size=2)
    features = {"image": {"_type": "Image"}, "text": {"_type": "Value", "dtype": "string"}}
    split = SplitRows([RowFile("k", (2,) * 20, path, lambda: path.open("rb", buffering=0))])

    page = split.page(0, 40, shorten=lambda table: shortened(table, features))

    assert page.nbytes < 16 * 2**20
    assert page["image"].null_count == 20
    assert page["image"][38]["path"].as_py() == "a.png"
    assert split.page(0, 1)["image"][0]["bytes"].as_py() == picture["bytes"]


def test_avif_is_a_picture() -> None:
    assert medium_of(b"\0\0\0\x1cftypavif\0\0\0\0").media_type == "image/avif"
