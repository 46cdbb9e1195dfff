"""Streams give each row once and in the same order, wherever they are cut and however dealt out."""

import tempfile
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.errors import InvalidParameter, Unviewable
from datasets_app.serving.order import (
    Plan,
    Position,
    lanes_of,
    position_in,
    span_of,
    token_of,
)
from datasets_app.serving.rows import RowFile, Run, SplitRows
from datasets_app.serving.stream import Size, Stream

ROWS = 397
GROUPS = ([7, 1, 30, 12, 50], [100], [3, 44, 80, 70])
_home = tempfile.TemporaryDirectory()


@cache
def split() -> SplitRows:
    files, row = [], 0
    for at, groups in enumerate(GROUPS):
        path = Path(_home.name) / f"{at}.parquet"
        schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
        with pq.ParquetWriter(path, schema) as writer:
            for rows in groups:
                ids = list(range(row, row + rows))
                texts = [str(one) for one in ids]
                writer.write_table(pa.table([ids, texts], schema=schema))
                row += rows
        files.append(RowFile(str(path), groups, path, lambda: open("/dev/null", "rb", 0)))  # noqa: SIM115
    assert row == ROWS
    return SplitRows(files)


def odd(runs: object) -> bytes:
    assert isinstance(runs, tuple)
    ids = [range(run.block.first_row + run.start, run.block.first_row + run.stop) for run in runs]
    return bytes(one % 2 for one in chain.from_iterable(ids))


def read(plan: Plan, start: Position, rows: int = 9) -> list[tuple[list[int], Position]]:
    stream = Stream(split(), plan, odd if plan.where else None, Size(rows))
    return [(batch["id"].to_pylist(), behind) for batch, behind in stream.batches(start)]


def ids(parts: list[tuple[list[int], Position]]) -> list[int]:
    return [one for part, _ in parts for one in part]


plans = st.builds(
    Plan,
    snapshot=st.just(5),
    where=st.sampled_from(["", "odd"]),
    offset=st.sampled_from([0, 0, 3, 60]),
    limit=st.sampled_from([None, None, 0, 1, 50]),
    shard=st.just(0),
    num_shards=st.integers(1, 12),
    seed=st.sampled_from([None, 1, 2]),
    epoch=st.integers(0, 2),
    window=st.integers(1, 6),
)


@settings(max_examples=80, deadline=None)
@given(plan=plans, shard=st.integers(0, 11), cut=st.integers(0, 60), rows=st.integers(1, 40))
def test_a_stream_goes_on_exactly_where_it_was_cut(
    plan: Plan, shard: int, cut: int, rows: int
) -> None:
    plan = replace(plan, shard=shard % plan.num_shards)
    whole = read(plan, Position(), rows)
    before = whole[: min(cut, len(whole))]
    stream = Stream(split(), plan, None, Size())
    token = token_of(plan, before[-1][1] if before else Position())

    # Whoever goes on may ask for batches of another size.
    after = read(plan, position_in(token, plan, stream.windows), 13)

    assert ids(before) + ids(after) == ids(whole)


@settings(max_examples=40, deadline=None)
@given(shards=st.integers(1, 20), seed=st.sampled_from([None, 7]), epoch=st.integers(0, 3))
def test_shards_have_each_row_exactly_once(shards: int, seed: int | None, epoch: int) -> None:
    parts = [
        ids(read(Plan(5, shard=at, num_shards=shards, seed=seed, epoch=epoch), Position(), 64))
        for at in range(shards)
    ]
    lanes = lanes_of(split(), Plan(5, num_shards=shards, seed=seed, epoch=epoch))

    assert sorted(chain.from_iterable(parts)) == list(range(ROWS))
    assert [len(part) for part in parts] == [lane["rows"] for lane in lanes]


@settings(max_examples=30, deadline=None)
@given(before=st.sampled_from([1, 2, 4]), after=st.sampled_from([1, 2, 4]), steps=st.integers(0, 9))
def test_lanes_dealt_out_anew_lose_and_repeat_nothing(before: int, after: int, steps: int) -> None:
    lanes = 4
    plans = [Plan(5, shard=at, num_shards=lanes, seed=3) for at in range(lanes)]
    tokens = [token_of(plan, Position()) for plan in plans]
    seen: list[int] = []
    for rank in range(before):
        for lane in range(rank, lanes, before):
            for part, behind in read(plans[lane], Position(), 20)[:steps]:
                seen += part
                tokens[lane] = token_of(plans[lane], behind)

    for rank in range(after):
        for lane in range(rank, lanes, after):
            windows = Stream(split(), plans[lane], None, Size()).windows
            seen += ids(read(plans[lane], position_in(tokens[lane], plans[lane], windows)))

    assert sorted(seen) == list(range(ROWS))


def test_a_seed_shuffles_and_an_epoch_shuffles_anew() -> None:
    first, again, other, later = (
        ids(read(Plan(5, seed=seed, epoch=epoch), Position()))
        for seed, epoch in ((1, 0), (1, 0), (2, 0), (1, 1))
    )

    assert first == again
    assert first not in (list(range(ROWS)), other, later)


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 11, 500])
def test_contiguous_shards_are_those_of_numpy(shards: int) -> None:
    expected = [part.tolist() for part in np.array_split(np.arange(ROWS), shards)]

    assert [list(range(*span_of(ROWS, at, shards))) for at in range(shards)] == expected


def test_runs_cover_any_span_of_rows() -> None:
    for start, stop in ((0, ROWS), (5, 9), (7, 8), (390, 1000), (ROWS, ROWS + 5)):
        runs: list[Run] = list(split().runs(start, stop))
        rows = [
            row
            for run in runs
            for row in range(run.block.first_row + run.start, run.block.first_row + run.stop)
        ]
        assert rows == list(range(start, min(stop, ROWS)))


@pytest.mark.parametrize("token", ["", "x", "W10", "!!!!", "bnVsbA", "WzEsMSwiYSIsOSw5LC0xXQ"])
def test_tokens_of_others_are_refused(token: str) -> None:
    with pytest.raises(InvalidParameter):
        position_in(token, Plan(5), Stream(split(), Plan(5), None, Size()).windows)


def test_a_token_of_another_plan_is_refused() -> None:
    token = token_of(Plan(5, seed=1), Position())

    with pytest.raises(Unviewable, match="other parameters"):
        position_in(token, Plan(5, seed=2), Stream(split(), Plan(5, seed=2), None, Size()).windows)
