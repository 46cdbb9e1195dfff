"""Read files whose bits were flipped at random: ``python -m … FOLDER COUNT``.

Whatever is raised that is no error with a name ends the program.
"""

import gzip
import io
import json
import random
import shutil
import sys
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from datasets_app.readers.child import restrict
from tests.datasets_app.readers.test_reading import arrow, compressed, tarred, zipped
from tests.datasets_app.readers.trying import convert


def samples() -> list[tuple[str, str, bytes]]:
    """A good file of each format."""
    table = pa.table(
        {
            "n": list(range(200)),
            "t": [f"text {n % 7}" for n in range(200)],
            "v": [[float(n), 0.5] for n in range(200)],
            "s": [{"a": n, "b": str(n)} for n in range(200)],
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=64)
    csv = b"a,b,c\n" + b"".join(b'%d,"x, %d",%d.5\n' % (n, n, n) for n in range(100))
    lines = b"".join(b'{"a":%d,"b":{"c":["x",null]}}\n' % n for n in range(100))
    tar = tarred({f"{n}.{kind}": b"%d" % n for n in range(20) for kind in ("cls", "txt", "jpg")})
    return [
        ("parquet", "a.parquet", sink.getvalue()),
        ("arrow", "a.arrow", arrow(table, stream=False)),
        ("arrow", "b.arrow", arrow(table, stream=True)),
        ("csv", "a.csv", csv),
        ("csv", "a.csv.gz", gzip.compress(csv)),
        ("csv", "a.csv.zst", compressed("zstd", csv)),
        ("csv", "a.zip", zipped(**{"a.csv": csv, "b.csv": csv})),
        ("json", "a.jsonl", lines),
        ("json", "a.json", b"[" + b",".join(lines.splitlines()) + b"]"),
        ("webdataset", "a.tar", tar),
        ("text", "a.txt", b"one\ntwo\n" * 50),
    ]


def flipped(data: bytes, chance: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 8, 64])):
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def main(folder: Path, count: int) -> None:
    restrict()
    given = samples()
    counted = {"rows": 0, "errors": 0}
    for seed in range(count):
        builder, name, data = given[seed % len(given)]
        print(seed, name, flush=True)
        place = folder / str(seed)
        mode = "link" if builder == "parquet" and seed % 2 else "export"
        broken = flipped(data, random.Random(seed))
        outcome = convert(place, builder, {name: broken}, mode=mode)  # type: ignore[arg-type]
        counted["errors" if outcome.error else "rows"] += 1
        shutil.rmtree(place)
    print(json.dumps(counted))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
