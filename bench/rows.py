"""How fast are pages, filters, searches and streams of rows, beside the libraries alone?"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from clients import USER
from measure import Processes, options
from server import free_port, wait_until

from datasets_app.serving.text_index import TextIndex, build
from tests.live import LiveServer

FILES = 8
DIMENSIONS = 256
WORDS = [f"word{number}" for number in range(5000)]
NAME = f"{USER}/rows"
API = "/api/datasets-server"
SPLIT = f"dataset={quote(NAME, safe='')}&config=default&split=train"
CONDITION = "category = 'math' AND score > 2"
ASKED = 200


def main() -> None:
    given = options(__doc__ or "", rounds=3)
    rows = 20_000 if given.quick else int(os.environ.get("BENCH_ROWS", "800000"))
    with LiveServer(workers=True) as server:
        web = Processes(server.web.process.pid) if server.web.process else None
        empty = web.memory()[1] if web else 0
        started = time.monotonic()
        _upload(server, rows)
        pushed = time.monotonic()
        wait_until(lambda: _preview(server), "first rows")
        print(f"{rows:,} rows in {FILES} files; pushed in {pushed - started:.1f} s, ", end="")
        print(f"first rows {time.monotonic() - pushed:.1f} s after the last of them")
        wait_until(lambda: _ready(server), "conversion")
        print(f"converted, counted and indexed {time.monotonic() - pushed:.0f} s after the push")
        exported = _files(server)
        _pages(server, exported)
        _filters(server, exported)
        _searches(server, exported)
        for _ in range(given.rounds):
            _streams(server, exported, rows)
        if web:
            print(
                f"web, proportional MB: {empty / 1e6:.0f} before, {web.memory()[1] / 1e6:.0f} after"
            )


def _table(rows: int, start: int, chance: np.random.Generator) -> pa.Table:
    words = np.array(WORDS)[chance.integers(0, len(WORDS), 140 * 1000)].tolist()
    lengths = chance.integers(20, 140, rows).tolist()
    starts = chance.integers(0, len(words) - 140, rows).tolist()
    vectors = chance.normal(size=(rows, DIMENSIONS)).astype("f4")
    return pa.table(
        {
            "id": np.arange(start, start + rows),
            "user": chance.integers(0, 50_000, rows),
            "score": chance.normal(size=rows),
            "category": chance.choice(["math", "art", "code", "law"], rows),
            "title": [f"title {number}" for number in range(start, start + rows)],
            "text": [
                " ".join(words[at : at + length])
                for at, length in zip(starts, lengths, strict=True)
            ],
            "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), DIMENSIONS).cast(
                pa.list_(pa.float32())
            ),
        }
    )


def _upload(server: LiveServer, rows: int) -> None:
    from huggingface_hub import HfApi  # noqa: PLC0415 - takes a second to load

    hub = HfApi(server.url, token=server.token())
    hub.create_repo(NAME, repo_type="dataset")
    chance = np.random.default_rng(1)
    each = rows // FILES
    with tempfile.TemporaryDirectory() as folder:
        for at in range(FILES):
            path = Path(folder) / f"train-{at:05}-of-{FILES:05}.parquet"
            pq.write_table(_table(each, at * each, chance), path)
        hub.upload_folder(
            folder_path=folder, path_in_repo="data", repo_id=NAME, repo_type="dataset"
        )


def _get(server: LiveServer, path: str) -> bytes:
    with urlopen(f"{server.url}{path}") as answer:  # noqa: S310 - a server of our own
        body: bytes = answer.read()
        return body


def _preview(server: LiveServer) -> bool:
    try:
        return b'"row_idx":0' in _get(server, f"{API}/first-rows?{SPLIT}")
    except OSError:
        return False


def _ready(server: LiveServer) -> bool:
    try:
        valid = _get(server, f"{API}/is-valid?{SPLIT}")
    except OSError:
        return False
    return b"false" not in valid


def _files(server: LiveServer) -> list[Path]:
    """Copies of what the hub reads: its own files of the export, or their twins for pages."""
    found = []
    folder = Path(tempfile.mkdtemp())
    listed = server.manage(
        "shell",
        "-v0",
        "-c",
        "from datasets_app.models import Split; from datasets_app.queries.rows import rows_of\n"
        "split = Split.objects.select_related('config__snapshot__repo__namespace').get()\n"
        "for path in rows_of(split.config.snapshot.repo, split).tables()['data']: print(path)",
    )
    for at, path in enumerate(listed.splitlines()):
        copied = folder / f"{at}.parquet"
        shutil.copy(path, copied)
        found.append(copied)
    return found


def _timed(work: Callable[[int], object], times: int = ASKED) -> list[float]:
    took = []
    for at in range(times):
        start = time.perf_counter()
        work(at)
        took.append((time.perf_counter() - start) * 1e3)
    return took


def _say(what: str, ours: list[float], theirs: list[float]) -> None:
    high, low = quantiles(ours, n=100)[98], quantiles(theirs, n=100)[98]
    print(
        f"{what}: p50 {median(ours):.1f} ms and {median(theirs):.1f} ms, "
        f"ratio {median(ours) / median(theirs):.2f}; p99 {high:.1f} and {low:.1f}, {high / low:.2f}"
    )


class _Asking:
    """One connection that stays open."""

    def __init__(self, server: LiveServer) -> None:
        self._connection = HTTPConnection(urlsplit(server.url).netloc)

    def __call__(self, path: str) -> bytes:
        self._connection.request("GET", f"{API}/{path}")
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body


def _pages(server: LiveServer, files: list[Path]) -> None:
    readers = [pq.ParquetFile(path, memory_map=True) for path in files]
    groups = [
        (reader, group) for reader in readers for group in range(reader.metadata.num_row_groups)
    ]
    total = sum(reader.metadata.num_rows for reader in readers)
    chance = random.Random(2)
    offsets = [chance.randrange(max(total - 100, 1)) for _ in range(ASKED)]
    picked = [chance.choice(groups) for _ in range(ASKED)]
    ask = _Asking(server)
    ask(f"rows?{SPLIT}&offset=0&length=100")
    ours = _timed(lambda at: ask(f"rows?{SPLIT}&offset={offsets[at]}&length=100"))
    theirs = _timed(lambda at: picked[at][0].read_row_group(picked[at][1], use_threads=False))
    _say("a page of 100 rows over HTTP : its row group by pyarrow", ours, theirs)
    first = _timed(lambda at: ask(f"rows?{SPLIT}&offset={at}&length=100"), 60)
    last = _timed(lambda at: ask(f"rows?{SPLIT}&offset={total - 200 + at}&length=100"), 60)
    _say("pages at the end : pages at the beginning", last, first)


def _filters(server: LiveServer, files: list[Path]) -> None:
    ask, local = _Asking(server), duckdb.connect()
    local.execute("SET threads = 2")
    source = f"read_parquet({[str(path) for path in files]})"

    def alone(at: int) -> object:
        where = f"{CONDITION} AND user < {40_000 + at}"
        local.execute(f"SELECT count(*) FROM {source} WHERE {where}").fetchone()
        return local.execute(f"SELECT * FROM {source} WHERE {where} LIMIT 100").to_arrow_table()

    def over_http(at: int) -> object:
        where = quote(f"{CONDITION} AND user < {40_000 + at}")
        return ask(f"filter?{SPLIT}&where={where}")

    over_http(999)
    alone(999)
    _say("a filter over HTTP : DuckDB, count and page", _timed(over_http, 40), _timed(alone, 40))


def _searches(server: LiveServer, files: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tables = (pq.read_table(path, columns=["category", "title", "text"]) for path in files)
        build(Path(folder), tables)
        index, ask = TextIndex(folder), _Asking(server)
        chance = random.Random(5)
        queries = [" ".join(chance.choices(WORDS, k=1 + at % 3)) for at in range(ASKED)]
        ask(f"search?{SPLIT}&query=word1")
        ours = _timed(lambda at: ask(f"search?{SPLIT}&query={quote(queries[at])}"))
        theirs = _timed(lambda at: index.search(queries[at], 0, 100))
    _say("a search over HTTP, with its rows : tantivy, without", ours, theirs)


def _streams(server: LiveServer, files: list[Path], rows: int) -> None:
    start = time.perf_counter()
    url = f"{server.url}/api/datasets/{NAME}/arrow/default/train"
    size = got = 0
    with urlopen(url) as answer, pa.ipc.open_stream(answer) as stream:  # noqa: S310 - as above
        for batch in stream:
            got, size = got + batch.num_rows, size + batch.nbytes
    assert got == rows // FILES * FILES
    ours = time.perf_counter() - start
    program = (
        "import time; from datasets import load_dataset\n"
        f"rows = load_dataset('{NAME}', split='train', streaming=True).with_format('arrow')\n"
        "start = time.perf_counter(); got = 0\n"
        "for part in rows.iter(1024): got += part.num_rows\n"
        "print(time.perf_counter() - start, got)"
    )
    environ = {**os.environ, "HF_ENDPOINT": server.url, "HF_UPDATE_DOWNLOAD_COUNTS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    theirs = float(done.stdout.split()[0])
    line = f"stream of all columns: {rows / ours:,.0f} rows/s and {size / ours / 1e6:,.0f} MB/s; "
    line += f"`datasets` from the same hub {rows / theirs:,.0f} rows/s, ratio {theirs / ours:.1f}"
    if shutil.which("nginx"):
        static = _static(files)
        line += f"; nginx {static / 1e6:,.0f} MB/s, ratio {size / ours / static:.2f}"
    print(line)


def _static(files: list[Path]) -> float:
    """Bytes per second of nginx for the same files."""
    port = free_port()
    folder = files[0].parent
    folder.chmod(0o755)
    settings = folder / "nginx.conf"
    settings.write_text(
        f"daemon off; user root; pid {folder}/pid; error_log {folder}/errors;"
        "events {} http { access_log off; sendfile on; server { "
        f"listen 127.0.0.1:{port}; root {folder}; }} }}"
    )
    server = subprocess.Popen(["nginx", "-c", str(settings)])
    try:
        wait_until(lambda: _serves(port), "nginx")
        start, size = time.perf_counter(), 0
        for path in files:
            with urlopen(f"http://127.0.0.1:{port}/{path.name}") as answer:
                while piece := answer.read(1024 * 1024):
                    size += len(piece)
        return size / (time.perf_counter() - start)
    finally:
        server.terminate()
        server.wait()


def _serves(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/0.parquet") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    main()
