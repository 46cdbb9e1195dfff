"""Files and cards that are awkward: their datasets are told of, and no job begins anew for ever."""

import pytest
from django.test import Client

from datasets_app.models import Config, State
from hub.models import Job
from tests.cast import Cast
from tests.datasets_app.hub_of_data import dataset, put, work
from tests.datasets_app.services.test_exporting import rows_of

API = "/api/datasets-server"
TRAIN = {"config": "default", "split": "train"}


def card(text: str) -> bytes:
    return f"---\n{text}---\n".encode()


FEATURE = "dataset_info:\n  features:\n  - name: a\n"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (f"{FEATURE}    sequence: int64\n    length: many\n", "FeaturesError"),
        (f"{FEATURE}    dtype: fixed_size_binary[99999999999999]\n", "FeaturesError"),
        (f"{FEATURE}    dtype: strong\n", "FeaturesError"),
    ],
)
def test_a_card_that_asks_for_what_there_is_not_is_told_of(
    cast: Cast, given: str, code: str
) -> None:
    repo = dataset(cast)
    put(cast, repo, {"README.md": card(given), "a.csv": b"a,b\n1,2\n"})

    work()

    answer = Client().get(f"{API}/first-rows", {"dataset": str(repo), **TRAIN})
    assert answer["X-Error-Code"] == code
    assert not Job.objects.filter(kind="datasets.plan").exclude(state="succeeded").exists()


def test_nul_characters_stay_in_rows_and_out_of_ours(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"a.csv": b"a,b\nx\0y,1\nz,2\n"})

    work()

    counts = Client().get(f"{API}/statistics", {"dataset": str(repo), **TRAIN}).json()
    assert rows_of(repo)[0] == {"a": "x\0y", "b": 1}
    assert counts["statistics"][0]["column_statistics"]["frequencies"] == {"x\ufffdy": 1, "z": 1}
    assert not Job.objects.exclude(state=Job.State.SUCCEEDED).exists()


def test_a_column_whose_name_holds_a_nul_is_refused(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"a.csv": b"a\0,b\n1,2\n"})

    work()

    failed = Config.objects.get()
    assert failed.state == State.FAILED
    assert "NUL" in (failed.error or {})["message"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_columns_that_the_card_does_not_know_are_not_lost_in_silence(cast: Cast, name: str) -> None:
    repo = dataset(cast)
    features = "dataset_info:\n  features:\n  - name: a\n    dtype: int64\n"
    data = b"a,b\n1,2\n" if name == "a.csv" else b'{"a": 1, "b": 2}\n'
    put(cast, repo, {"README.md": card(features), name: data})

    work()

    failed = Config.objects.get()
    assert failed.error_code == "DatasetGenerationCastError"
    assert (failed.error or {})["column"] == "b"
    answer = Client().get(f"{API}/statistics", {"dataset": str(repo), **TRAIN})
    assert answer["X-Error-Code"] == "DatasetGenerationCastError"


def test_a_text_that_looks_like_a_moment_stays_as_it_is_among_texts(cast: Cast) -> None:
    repo = dataset(cast)
    first, second = b'{"t": "2020-01-01T00:00:00"}\n', b'{"t": "never"}\n'
    put(cast, repo, {"train-1.jsonl": first, "train-2.jsonl": second})

    work()

    assert rows_of(repo) == [{"t": "2020-01-01T00:00:00"}, {"t": "never"}]


def test_a_codec_that_is_no_encoding_is_told_of(cast: Cast) -> None:
    repo = dataset(cast)
    given = "configs:\n- config_name: a\n  data_files: a.csv\n  encoding: rot13\n"
    put(cast, repo, {"README.md": card(given), "a.csv": b"a,b\n1,2\n"})

    work()

    assert Config.objects.get().error_code == "DatasetGenerationError"
