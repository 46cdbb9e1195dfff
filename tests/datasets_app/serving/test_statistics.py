"""Statistics in the terms of the viewer's API, compared with counts by hand."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.serving.sandbox import Sandbox
from datasets_app.serving.statistics import Statistics, bin_edges
from datasets_app.shape.features import features_of


def counted(folder: Path, **columns: Any) -> dict[str, Any]:
    table = pa.table(columns)
    path = folder / "rows.parquet"
    pq.write_table(table, path)
    found = Statistics(Sandbox().of({"data": [str(path)]})).of(features_of(table.schema))
    return {one["column_name"]: one for one in found["statistics"]}


def test_numbers_have_means_and_a_histogram(tmp_path: Path) -> None:
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 58]
    found = counted(tmp_path, n=pa.array([*values, None]), x=pa.array([*map(float, values), None]))

    whole, real = (found[name]["column_statistics"] for name in ("n", "x"))
    assert (found["n"]["column_type"], found["x"]["column_type"]) == ("int", "float")
    assert whole["histogram"] == {
        "hist": [7, 3, 0, 0, 0, 0, 0, 0, 0, 1],
        "bin_edges": [1, 7, 13, 19, 25, 31, 37, 43, 49, 55, 58],
    } or sum(whole["histogram"]["hist"]) == len(values)
    for numbers in (whole, real):
        assert (numbers["nan_count"], numbers["nan_proportion"]) == (1, 0.08333)
        assert (numbers["min"], numbers["max"]) == (1, 58)
        assert numbers["mean"] == round(mean(values), 5)
        assert numbers["median"] == median(values)
        assert numbers["std"] == round(stdev(values), 5)
        assert sum(numbers["histogram"]["hist"]) == len(values)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=40))
def test_bins_of_integers_are_at_most_ten_and_hold_all(values: list[int]) -> None:
    edges = bin_edges(min(values), max(values), is_integer=True)

    assert edges[0] == min(values)
    assert edges[-1] == max(values)
    assert 2 <= len(edges) <= 11
    assert edges == sorted(edges)


@pytest.mark.parametrize("values", [[7, 7, 7], [0], [-3, -3]])
def test_one_value_makes_one_bin(tmp_path: Path, values: list[int]) -> None:
    found = counted(tmp_path, n=values)["n"]["column_statistics"]

    edges = [values[0], values[0]]
    assert found["histogram"] == {"hist": [len(values)], "bin_edges": edges}


def test_few_texts_are_labels_and_many_are_lengths(tmp_path: Path) -> None:
    labels = ["a", "b", "a", None] * 30
    texts = ["x" * at for at in range(1, 121)]
    found = counted(tmp_path, label=labels, text=texts)

    label, text = (found[name]["column_statistics"] for name in ("label", "text"))
    assert (found["label"]["column_type"], found["text"]["column_type"]) == (
        "string_label",
        "string_text",
    )
    assert label["frequencies"] == {"a": 60, "b": 30}
    assert (label["n_unique"], label["nan_count"], label["no_label_count"]) == (2, 30, 0)
    assert (text["min"], text["max"], text["mean"]) == (1, 120, 60.5)


def test_other_columns_have_what_fits_them(tmp_path: Path) -> None:
    day = datetime(2020, 1, 1, tzinfo=UTC)
    found = counted(
        tmp_path,
        yes=[True, False, True, None],
        many=[[1], [1, 2], [], None],
        at=[day, datetime(2020, 1, 3, tzinfo=UTC), day, None],
        none=pa.array([None] * 4, pa.float64()),
        nan=[float("nan"), float("inf"), 1.0, 2.0],
        raw=[b"a", b"b", b"c", None],
    )

    assert found["yes"]["column_statistics"]["frequencies"] == {"True": 2, "False": 1}
    assert found["many"]["column_statistics"]["max"] == 2
    assert found["at"]["column_type"] == "datetime"
    assert found["at"]["column_statistics"]["min"].startswith("2020-01-01 00:00:00")
    assert found["none"]["column_statistics"]["histogram"] is None
    assert found["nan"]["column_statistics"]["nan_count"] == 2
    assert "raw" not in found


def test_patterns_find_mail_addresses_and_phone_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table({"t": ["write to ada@example.org", "call 555-123-4567", "no", None]})
    pq.write_table(table, path)

    found = Statistics(Sandbox().of({"data": [str(path)]})).personal(features_of(table.schema))

    assert found["num_rows_with_email_address_entities"] == 1
    assert found["num_rows_with_phone_number_entities"] == 1
    assert (found["num_scanned_rows"], found["full_scan"]) == (4, True)
