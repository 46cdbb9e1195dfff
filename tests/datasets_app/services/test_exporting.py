import io

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from datasets_app.models import Artifact, Config, Shard, Snapshot, State
from datasets_app.queries.splits import content_of, shards_of, split_of
from datasets_app.services.publishing import EXPORT_REF
from hub.models import Job, Repo
from hub.names import ROOT
from hub.queries import trees
from hub.queries.history import commit_by_oid, ref_oid
from tests.cast import Cast
from tests.datasets_app.hub_of_data import dataset, put, snapshot, work

pytestmark = pytest.mark.django_db(transaction=True)


def rows_of(repo: Repo, config: str = "default", split: str = "train") -> list[dict[str, object]]:
    """The rows of a split, from its shards as readers find them."""
    rows = []
    for shard in shards_of(split_of(snapshot(repo), config, split)):
        content = content_of(repo, shard)
        data = b"".join(content.read(0, content.size))
        rows += pq.read_table(io.BytesIO(data)).to_pylist()
    return rows


def exported(repo: Repo) -> dict[str, bytes]:
    """The files on the export's ref, and the git objects that they are."""
    head = ref_oid(repo.pk, EXPORT_REF)
    commit = commit_by_oid(repo.pk, head) if head else None
    if commit is None:
        return {}
    found = trees.list_all(repo.pk, commit, ROOT)
    return {one.path: one.oid for one in found if one.path.endswith(".parquet")}


def table(first: int, count: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(first, first + count))}), sink)
    return sink.getvalue()


def test_a_push_of_csv_becomes_parquet(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": b"a,b\n1,x\n2,y\n", "test.csv": b"a,b\n3.5,z\n"})

    work()

    assert snapshot(repo).state == State.READY
    assert rows_of(repo) == [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}]
    assert rows_of(repo, split="test") == [{"a": 3.5, "b": "z"}]
    assert list(exported(repo)) == ["default/test/0000.parquet", "default/train/0000.parquet"]
    config = Config.objects.get()
    assert config.features == {
        "a": {"dtype": "float64", "_type": "Value"},
        "b": {"dtype": "string", "_type": "Value"},
    }
    preview = bytes(Artifact.objects.get(kind="preview", split="train").data or b"")
    assert pa.ipc.open_stream(preview).read_all().to_pylist() == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_native_parquet_is_linked_not_copied(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"data/train-00000-of-00002.parquet": table(0, 10)})
    put(cast, repo, {"data/train-00001-of-00002.parquet": table(10, 5)})

    work()

    shards = Shard.objects.order_by("first_row")
    assert [(one.kind, one.first_row, one.num_rows) for one in shards] == [
        ("link", 0, 10),
        ("link", 10, 5),
    ]
    assert [row["n"] for row in rows_of(repo)] == list(range(15))
    assert set(exported(repo).values()) == {bytes(one.oid) for one in shards}


def test_a_commit_of_the_readme_makes_no_heavy_job(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": b"a\n1\n"})
    work()
    before = exported(repo)

    put(cast, repo, {"README.md": b"---\nlicense: mit\n---\n# Rows\n"})
    done = work()

    assert done["heavy"] == 0
    assert Snapshot.objects.count() == 1
    assert snapshot(repo).state == State.READY
    assert exported(repo) == before


def test_an_append_reads_only_the_new_file(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"data/a.csv": b"a,b\n1,x\n", "data/b.csv": b"a,b\n2,y\n"})
    work()
    old = {bytes(shard.sha256 or b"") for shard in Shard.objects.all()}

    put(cast, repo, {"data/c.csv": b"a,b\n3,z\n"})
    work()

    assert [row["a"] for row in rows_of(repo)] == [1, 2, 3]
    shards = Shard.objects.filter(split__config__snapshot=snapshot(repo))
    assert len([one for one in shards if bytes(one.sha256 or b"") in old]) == 2


def test_files_that_differ_are_brought_to_one_schema(cast: Cast) -> None:
    repo = dataset(cast)
    put(
        cast,
        repo,
        {
            "a.jsonl": b'{"n": 1}\n{"n": 2}\n',
            "b.jsonl": b'{"n": 1.5, "t": "x"}\n',
            "c.jsonl": b'{"n": null}\n',
        },
    )

    work()

    assert rows_of(repo) == [
        {"n": 1.0, "t": None},
        {"n": 2.0, "t": None},
        {"n": 1.5, "t": "x"},
        {"n": None, "t": None},
    ]


def test_a_bad_file_is_told_with_its_row_and_spoils_only_its_config(cast: Cast) -> None:
    repo = dataset(cast)
    card = (
        "---\nconfigs:\n- config_name: good\n  data_files: good.csv\n"
        "- config_name: bad\n  data_files: bad.csv\n---\n"
    )
    put(
        cast,
        repo,
        {"README.md": card.encode(), "good.csv": b"a,b\n1,2\n", "bad.csv": b"a,b\n1,2\n1,2,3\n"},
    )

    work()

    bad = Config.objects.get(name="bad")
    assert bad.error_code == "DatasetGenerationError"
    assert bad.error is not None
    assert (bad.error["path"], bad.error["row"]) == ("bad.csv", 1)
    assert rows_of(repo, "good") == [{"a": 1, "b": 2}]
    assert list(exported(repo)) == ["good/train/0000.parquet"]
    assert Job.objects.get(kind="datasets.export", key=str(bad.pk)).state == Job.State.FAILED


def test_features_of_the_card_say_what_cells_are(cast: Cast) -> None:
    repo = dataset(cast)
    card = (
        "---\ndataset_info:\n  features:\n  - name: z\n    dtype: string\n"
        "  - name: a\n    dtype: float32\n---\n"
    )
    put(cast, repo, {"README.md": card.encode(), "train.csv": b"z,a\n1,2\n"})

    work()

    assert rows_of(repo) == [{"z": "1", "a": 2.0}]
    assert list(rows_of(repo)[0]) == ["z", "a"]


def test_a_dataset_without_data_files_says_so(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"README.md": b"# Nothing\n"})

    work()

    assert snapshot(repo).error_code == "EmptyDatasetError"
    assert exported(repo) == {}


def test_an_older_state_that_comes_back_is_published_again(cast: Cast) -> None:
    repo = dataset(cast)
    put(cast, repo, {"train.csv": b"a\n1\n"})
    work()
    first = exported(repo)
    put(cast, repo, {"train.csv": b"a\n2\n"})
    work()
    assert exported(repo) != first

    put(cast, repo, {"train.csv": b"a\n1\n"})
    done = work()

    assert done["heavy"] == 0
    assert exported(repo) == first
