import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from tests.datasets_app.readers.trying import convert


def zipped(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return sink.getvalue()


def arrow(table: pa.Table, *, stream: bool) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def compressed(codec: str, data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(data)
    found: bytes = sink.getvalue().to_pybytes()
    return found


CSV = b"a,b,c\n1,x,2020-01-01\n2,,\n"
CSV_ROWS = [{"a": 1, "b": "x", "c": "2020-01-01"}, {"a": 2, "b": None, "c": None}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", CSV),
        ("a.csv.gz", gzip.compress(CSV)),
        ("a.csv.bz2", bz2.compress(CSV)),
        ("a.csv.xz", lzma.compress(CSV)),
        ("a.csv.zst", compressed("zstd", CSV)),
        ("a.csv.lz4", compressed("lz4", CSV)),
        ("a.zip", zipped(**{"in/a.csv": CSV, "__MACOSX/a.csv": b"x"})),
        ("crlf.csv", CSV.replace(b"\n", b"\r\n")),
        ("bom.csv", b"\xef\xbb\xbf" + CSV),
    ],
)
def test_csv_in_all_its_wrappings(name: str, data: bytes, tmp_path: Path) -> None:
    assert convert(tmp_path, "csv", {name: data}).rows == CSV_ROWS


@pytest.mark.parametrize(
    ("data", "params", "rows"),
    [
        (b"a;b\n1;2,5\n", {"sep": ";", "decimal": ","}, [{"a": 1, "b": 2.5}]),
        (b"a\tb\n1\tx\n", {"delimiter": "\t"}, [{"a": 1, "b": "x"}]),
        (b"1,2\n", {"header": None}, [{"0": 1, "1": 2}]),
        (b"1,2\n", {"names": ["p", "q"]}, [{"p": 1, "q": 2}]),
        (b"a,b\n1,2\n", {"column_names": ["p", "q"], "header": 0}, [{"p": 1, "q": 2}]),
        (b"junk\na,b\n1,2\n", {"skiprows": 1}, [{"a": 1, "b": 2}]),
        ("a\né\n".encode("latin-1"), {"encoding": "latin-1"}, [{"a": "é"}]),
        (b"a,a,\n1,2,3\n", {}, [{"a": 1, "a.1": 2, "Unnamed: 2": 3}]),
        (b'a,b\n"x\ny","q""r"\n', {}, [{"a": "x\ny", "b": 'q"r'}]),
        (b"a\n-\n1\n", {"na_values": "-"}, [{"a": None}, {"a": 1}]),
    ],
)
def test_csv_as_its_card_says(
    data: bytes, params: dict[str, Any], rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    assert convert(tmp_path, "csv", {"a.csv": data}, params).rows == rows


def test_csv_whose_later_rows_say_something_else_is_read_again(tmp_path: Path) -> None:
    many = b"a,b,c\n" + b"1,2,\n" * 3_500_000

    outcome = convert(tmp_path, "csv", {"a.csv": many + b"x,2.5,z\n"})

    assert outcome.again == 1
    assert outcome.schema is not None
    assert [str(kind) for kind in outcome.schema.types] == ["string", "double", "string"]
    assert sum(one["num_rows"] for one in outcome.shards) == 3_500_001


@pytest.mark.parametrize(
    ("name", "data", "rows"),
    [
        ("a.jsonl", b'{"a":1}\n\n{"a":2.5,"b":[1]}\n', [{"a": 1.0}, {"a": 2.5, "b": [1]}]),
        ("a.json", b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
        ("cols.json", b'{\n"a":[1,2],\n"b":["x","y"]}', [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        ("one.json", b'{\n"a": 1,\n"b": "x"\n}', [{"a": 1, "b": "x"}]),
        ("mixed.jsonl", b'{"a":1}\n{"a":{"q":[]}}\n', [{"a": "1"}, {"a": '{"q":[]}'}]),
    ],
)
def test_json_in_its_forms(
    name: str, data: bytes, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    found = convert(tmp_path, "json", {name: data}).rows

    assert [{key: one for key, one in row.items() if one is not None} for row in found] == rows


def test_json_under_a_field(tmp_path: Path) -> None:
    data = b'{"version": 1, "data": [{"a": 1}, {"a": 2}]}'

    outcome = convert(tmp_path, "json", {"a.json": data}, {"field": "data"})

    assert outcome.rows == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("params", "texts"),
    [
        ({}, ["one", "two", "", "three"]),
        ({"sample_by": "paragraph"}, ["one\ntwo", "three"]),
        ({"sample_by": "document"}, ["one\ntwo\n\nthree"]),
        ({"keep_linebreaks": True}, ["one\n", "two\n", "\n", "three"]),
    ],
)
def test_text(params: dict[str, Any], texts: list[str], tmp_path: Path) -> None:
    outcome = convert(tmp_path, "text", {"a.txt": b"one\r\ntwo\n\nthree"}, params)

    assert [row["text"] for row in outcome.rows] == texts


@pytest.mark.parametrize("stream", [True, False])
def test_arrow(stream: bool, tmp_path: Path) -> None:  # noqa: FBT001
    table = pa.table({"a": [1, 2], "v": [[1.0], None]})

    outcome = convert(tmp_path, "arrow", {"a.arrow": arrow(table, stream=stream)})

    assert outcome.rows == table.to_pylist()


def test_a_folder_has_labels_or_metadata(tmp_path: Path) -> None:
    files = {"cats/a.png": b"A", "dogs/b.JPG": b"B", "dogs/note.txt": b"-"}
    metadata = b"file_name,text\ncats/a.png,meow\n"

    plain = convert(tmp_path / "1", "imagefolder", files, {"labels": ["cats", "dogs"]})
    described = convert(tmp_path / "2", "imagefolder", {**files, "metadata.csv": metadata})

    assert plain.rows == [
        {"image": {"bytes": b"A", "path": "a.png"}, "label": 0},
        {"image": {"bytes": b"B", "path": "b.JPG"}, "label": 1},
    ]
    assert described.rows == [{"image": {"bytes": b"A", "path": "a.png"}, "text": "meow"}]
    assert described.schema is not None
    features = json.loads(described.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}


def test_metadata_reaches_nothing_outside_its_folder(tmp_path: Path) -> None:
    files = {"metadata.csv": b"file_name\n../../../etc/passwd\n", "a.png": b"A"}

    assert convert(tmp_path, "imagefolder", files).code == "DatasetGenerationError"


def test_webdataset(tmp_path: Path) -> None:
    data = tarred({"0.jpg": b"J0", "0.json": b'{"n": 1}', "1.jpg": b"J1", "1.cls": b"7"})

    rows = convert(tmp_path, "webdataset", {"a.tar": data}).rows

    assert rows[0]["jpg"] == {"bytes": b"J0", "path": "0.jpg"}
    assert [(row["__key__"], row["json"], row["cls"]) for row in rows] == [
        ("0", {"n": 1}, None),
        ("1", None, 7),
    ]


def test_pickles_of_a_webdataset_stay_bytes(tmp_path: Path) -> None:
    harmful = b"cos\nsystem\n(S'exit 1'\ntR."

    rows = convert(tmp_path, "webdataset", {"a.tar": tarred({"0.pyd": harmful})}).rows

    assert rows[0]["pyd"] == harmful


def test_shards_have_small_row_groups_with_indexes(tmp_path: Path) -> None:
    lines = b"".join(b'{"id":%d,"text":"%s"}\n' % (n, b"x" * 400) for n in range(30_000))

    [shard] = convert(tmp_path, "json", {"a.jsonl": lines}).shards

    metadata = pq.ParquetFile(shard["file"]).metadata
    assert metadata.num_row_groups == len(shard["rows"]) > 3
    assert sum(shard["rows"]) == 30_000
    assert metadata.row_group(0).total_byte_size < 4 * 2**20
    column = metadata.row_group(0).column(1)
    assert (column.compression, column.has_offset_index) == ("ZSTD", True)
    assert shard["offsets"] == sorted(shard["offsets"])


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    lines = b"".join(b'{"id":%d,"v":[%d.5]}\n' % (n, n) for n in range(20_000))

    made = [convert(tmp_path / each, "json", {"a.jsonl": lines}) for each in ("1", "2")]

    first, second = (Path(one.shards[0]["file"]).read_bytes() for one in made)
    assert first == second


def test_native_parquet_with_large_groups_gets_smaller_ones_beside_it(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(
        pa.table({"t": [f"{n:0400}" for n in range(50_000)]}),
        sink,
        row_group_size=50_000,
        compression="none",
        use_dictionary=False,
    )

    outcome = convert(tmp_path, "parquet", {"a.parquet": sink.getvalue()}, mode="link")

    assert outcome.link is not None
    assert outcome.link["rows"] == [50_000]
    [shard] = outcome.shards
    assert len(shard["rows"]) > 5


def test_a_dictionary_that_hides_large_groups_gets_smaller_ones_too(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"t": ["x" * 1000] * 100_000}), sink, row_group_size=100_000)

    outcome = convert(tmp_path, "parquet", {"a.parquet": sink.getvalue()}, mode="link")

    assert outcome.link is not None
    assert outcome.link["num_rows"] == 100_000
    [shard] = outcome.shards
    assert sum(shard["rows"]) == 100_000
    assert max(shard["rows"]) < 10_000


def test_rows_that_grow_large_come_in_groups_of_fewer(tmp_path: Path) -> None:
    small = [b'{"t":"%d"}\n' % number for number in range(10_000)]
    large = [b'{"t":"%s"}\n' % (b"x" * 100_000) for _ in range(1000)]

    outcome = convert(tmp_path, "json", {"a.jsonl": b"".join(small + large)})

    assert outcome.error is None, outcome.error
    [shard] = outcome.shards
    assert sum(shard["rows"]) == 11_000
    assert max(shard["lengths"]) < 64 * 2**20
    metadata = pq.ParquetFile(shard["file"]).metadata
    sizes = [metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)]
    assert max(sizes) < 48 * 2**20
