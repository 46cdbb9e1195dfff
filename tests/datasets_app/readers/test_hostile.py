"""Files that lie, grow or are broken: each ends in an error that says where, or in rows."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from datasets_app.queries.files import directory_bytes
from datasets_app.readers.task import Task
from tests.datasets_app.readers.trying import convert
from tests.live import ROOT


def in_child(folder: Path, builder: str, name: str, data: bytes, mode: Any = "export") -> Any:
    """The last event of a child that reads this file."""
    out = folder / "out"
    out.mkdir()
    path = folder / "source"
    path.write_bytes(data)
    given = [{"name": name, "path": str(path), "size": len(data)}]
    done = subprocess.run(
        [sys.executable, "-m", "datasets_app.readers.child"],
        input=Task(mode, builder, given, str(out)).to_json(),
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    return json.loads(done.stdout.splitlines()[-1])


def zip_of(size: int) -> bytes:
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.txt", "w") as member,
    ):
        for _ in range(size >> 20):
            member.write(b"a\n" * (1 << 19))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("builder", "name", "data", "where"),
    [
        ("csv", "a.csv", b"a,b\n1,2\n1,2,3\n", {"row": 1}),
        ("csv", "a.csv", b"a,b\n1,\xe9\n", {"row": 0, "column": "b"}),
        ("json", "a.jsonl", b'{"a":1}\n{bad\n', {"row": 1}),
        ("json", "a.jsonl", b'{"a":1}\n[1]\n', {"row": 1}),
        ("json", "a.json", b'[{"a":1},', {"row": 0}),
        ("text", "a.txt", b"\xff\xfe\xfa", {}),
        ("csv", "a.csv.gz", b"no gzip", {}),
        ("csv", "a.csv.zst", b"no zstd", {}),
        ("csv", "a.zip", b"no zip", {}),
        ("parquet", "a.parquet", b"PAR1 and no more", {}),
        ("arrow", "a.arrow", b"ARROW1 and no more", {}),
        ("webdataset", "a.tar", b"no tar" * 200, {}),
        ("webdataset", "a.tar.gz", gzip.compress(b"no tar" * 200), {}),
    ],
)
def test_a_bad_file_is_told_by_name_and_place(
    builder: str, name: str, data: bytes, where: dict[str, Any], tmp_path: Path
) -> None:
    outcome = convert(tmp_path, builder, {name: data})

    assert outcome.code == "DatasetGenerationError"
    assert outcome.error is not None
    assert name in outcome.error["message"]
    assert {key: outcome.error.get(key) for key in where} == where


def test_a_file_with_too_many_columns_says_so(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(10_001)).encode()

    outcome = convert(tmp_path, "csv", {"a.csv": names + b"\n"})

    assert outcome.code == "TooManyColumnsError"


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(10_000)).encode()
    cells = ",".join("1" for _ in range(10_000)).encode()

    outcome = convert(tmp_path, "csv", {"a.csv": names + b"\n" + cells + b"\n"})

    assert len(outcome.rows[0]) == 10_000


def test_what_grows_two_hundred_times_is_not_decompressed(tmp_path: Path) -> None:
    data = gzip.compress(b"a\n" * (160 << 20), 9)

    assert convert(tmp_path / "1", "text", {"a.txt.gz": data}).code == "TooBigContentError"
    assert convert(tmp_path / "2", "text", {"a.zip": zip_of(320 << 20)}).code == (
        "TooBigContentError"
    )


def test_a_parquet_bomb_is_an_error_and_no_more(tmp_path: Path) -> None:
    sink = io.BytesIO()
    cell = pa.array(["x" * (1 << 20)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), cell)
    pq.write_table(pa.table({"a": column}), sink, compression="zstd", store_schema=False)

    told = in_child(tmp_path, "parquet", "a.parquet", sink.getvalue(), "link")

    assert told["error"]["code"] == "TooBigContentError"


def test_what_nests_deeper_than_we_hold_is_an_error(tmp_path: Path) -> None:
    deep = b'{"a":' + b"[" * 500 + b"1" + b"]" * 500 + b"}\n"

    told = in_child(tmp_path, "json", "a.jsonl", deep)

    assert told["error"]["code"] == "DatasetGenerationError"


def test_flipped_bits_give_errors_or_rows(tmp_path: Path) -> None:
    """1,200 variants over all formats, in a process that may die of none of them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.datasets_app.readers.flipping", str(tmp_path), "1200"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-3000:]}"
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["rows"] + counted["errors"] == 1200
    assert counted["errors"] > 300


@pytest.mark.parametrize("members", [1, 70_000])
def test_the_size_of_an_archives_list_is_known_before_it_is_read(
    members: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(members):
            archive.writestr(f"{number:06}.txt", b"")

    assert directory_bytes(path) == members * (46 + len("000000.txt"))
    assert directory_bytes(Path(__file__)) == 0
