"""What a child is asked: which rows fit a condition, what a query gives, which texts have words."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from datasets_app.errors import InvalidParameter, QueryTooHeavy
from datasets_app.serving.sandbox import ROW_NUMBERS, Sandbox, said, scan
from datasets_app.serving.statistics import Statistics
from datasets_app.serving.text_index import TextIndexes, batches, build, pack
from datasets_app.serving.wiring import Answer

MAX_SQL_BYTES = 64 * 1024 * 1024


class Questions:
    """Answers one question at a time."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()
        self._indexes = TextIndexes()

    def answer(self, question: Mapping[str, Any]) -> Answer:
        """Never raises but for what ends the process."""
        paths = [path for files in question.get("tables", {}).values() for path in files]
        try:
            return self._answer(question)
        except (InvalidParameter, QueryTooHeavy) as refusal:
            return _refused(refusal)
        except duckdb.Error as problem:
            return _refused(said(problem, paths))
        except MemoryError:
            return _refused(QueryTooHeavy("The query needs more memory than one may have."))
        except RecursionError:
            return _refused(InvalidParameter("It is nested too deeply."))

    def _answer(self, question: Mapping[str, Any]) -> Answer:
        ways = {
            "filter": self._filter,
            "match": self._match,
            "sql": self._sql,
            "search": self._search,
            "statistics": self._statistics,
            "index": self._index,
        }
        return ways[question["ask"]](question)

    def _filter(self, question: Mapping[str, Any]) -> Answer:
        """Numbers of the rows of a page, and of how many: an unknown ``total`` is counted."""
        columns: Sequence[str] = question["columns"]
        if taken := {name.lower() for name in columns} & set(ROW_NUMBERS):
            raise InvalidParameter(f"Datasets with a column {taken.pop()!r} cannot be filtered.")
        files: Sequence[str] = question["tables"]["data"]
        condition, _ = self._sandbox.condition(question["where"], columns)
        order = self._sandbox.order(question["orderby"], columns)
        connection = self._sandbox.of(question["tables"])
        offset, length = int(question["offset"]), int(question["length"])
        body = f"FROM {scan(files)} AS data {condition}"
        numbers = connection.execute(
            f"SELECT {', '.join(ROW_NUMBERS)} {body} {order} LIMIT {length} OFFSET {offset}"
        ).fetchnumpy()
        first_rows = np.asarray(question["first_rows"], dtype=np.int64)
        found = first_rows[np.asarray(numbers["file_index"], dtype=np.int64)]
        found = found + np.asarray(numbers["file_row_number"], dtype=np.int64)
        total = question.get("total")
        if total is None:
            total = self._total(connection, body, len(found), offset, length)
        return Answer({"total": total}, found.tobytes())

    def _total(
        self,
        connection: duckdb.DuckDBPyConnection,
        body: str,
        found: int,
        offset: int,
        length: int,
    ) -> int:
        if 0 < found < length:
            return offset + found
        row = connection.execute(f"SELECT count(*) {body}").fetchone()
        return int(row[0]) if row else 0

    def _match(self, question: Mapping[str, Any]) -> Answer:
        """Which rows of one row group fit, as a byte each: for streams, block by block."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - pages of filters need no Arrow

        columns: Sequence[str] = question["columns"]
        condition, used = self._sandbox.condition(question["where"], columns)
        files: Sequence[str] = question["tables"]["data"]
        wanted = [name for name in columns if name.lower() in used]
        masks: list[bytes] = []
        for file, group in question["groups"]:
            with pq.ParquetFile(files[file], memory_map=True) as reader:
                table = reader.read_row_group(group, columns=wanted, use_threads=False)
            rows = table.num_rows
            if not wanted:
                table = table.append_column("data", [np.zeros(rows, dtype=np.int8)])
            masks.append(self._mask(table, condition, rows))
        return Answer({"rows": [len(mask) for mask in masks]}, b"".join(masks))

    def _mask(self, table: Any, condition: str, rows: int) -> bytes:
        connection = duckdb.connect()
        try:
            connection.register("block", table)
            for setting in ("threads = 1", "enable_external_access = false"):
                connection.execute(f"SET {setting}")
            bare = condition.removeprefix("WHERE ")
            found = connection.execute(
                f"SELECT coalesce(({bare})::BOOLEAN, false) AS fits FROM block AS data"
            ).fetchnumpy()["fits"]
        finally:
            connection.close()
        return bytes(np.asarray(found, dtype=np.int8)[:rows].tobytes())

    def _sql(self, question: Mapping[str, Any]) -> Answer:
        """The first rows of a query, as an Arrow stream."""
        import pyarrow as pa  # noqa: PLC0415

        tables, most = question["tables"], int(question["limit"])
        text = self._sandbox.query(question["sql"], list(tables))
        connection = self._sandbox.of(tables)
        found = connection.sql(f"SELECT * FROM ({text}) LIMIT {most + 1}")
        sink = pa.BufferOutputStream()
        rows, cut = 0, False
        reader: Any = found.to_arrow_reader(2048)
        with pa.ipc.new_stream(sink, reader.schema) as writer:
            for batch in reader:
                part = batch.slice(0, most - rows)
                # A row is never cut: one that is too large alone is the whole answer.
                while part.num_rows > 1 and sink.tell() + part.nbytes > MAX_SQL_BYTES:
                    part = part.slice(0, part.num_rows // 2)
                rows += part.num_rows
                writer.write_batch(part)
                if part.num_rows < batch.num_rows or sink.tell() > MAX_SQL_BYTES:
                    cut = True
                    break
        return Answer({"rows": rows, "truncated": cut}, sink.getvalue().to_pybytes())

    def _statistics(self, question: Mapping[str, Any]) -> Answer:
        """What the columns are like, and whether they hold personal data."""
        counted = Statistics(self._sandbox.of(question["tables"]))
        features = question["features"]
        return Answer({"statistics": counted.of(features), "personal": counted.personal(features)})

    def _index(self, question: Mapping[str, Any]) -> Answer:
        """Write an index of the texts of a split, packed into one file."""
        folder = Path(question["folder"])
        texts = batches(_tables(question["tables"]["data"], question["columns"]))
        rows = build(folder, texts)
        pack(folder, Path(question["into"]))
        return Answer({"rows": rows})

    def _search(self, question: Mapping[str, Any]) -> Answer:
        total, rows = self._indexes.of(question["index"]).search(
            question["query"], int(question["offset"]), int(question["length"])
        )
        return Answer({"total": total}, np.asarray(rows, dtype=np.int64).tobytes())


def _tables(files: Sequence[str], columns: Sequence[str]) -> Iterator[Any]:
    """The rows of the files in order, a row group at a time."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    for file in files:
        with pq.ParquetFile(file, memory_map=True) as reader:
            for group in range(reader.num_row_groups):
                yield reader.read_row_group(group, columns=list(columns), use_threads=False)


def _refused(refusal: InvalidParameter | QueryTooHeavy) -> Answer:
    kind = "heavy" if isinstance(refusal, QueryTooHeavy) else "invalid"
    return Answer({"error": kind, "message": refusal.message})
