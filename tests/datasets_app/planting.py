"""Splits that are there without a conversion: files, their rows, and the rows about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from datasets_app.models import (
    Artifact,
    CommitSnapshot,
    Config,
    Shard,
    Snapshot,
    Source,
    Split,
    State,
)
from datasets_app.shape.features import features_of
from hub.models import Repo
from hub.names import EntryPath, RevisionName
from hub.queries import history, trees
from hub.services import commits
from hub.services.commits import Message, PutFile
from tests.cast import Cast, signed_in


@dataclass
class Planted:
    """A dataset with one config and one split, ready to be shown."""

    repo: Repo
    commit: bytes
    snapshot: Snapshot
    config: Config
    split: Split

    @property
    def query(self) -> dict[str, str]:
        return {"dataset": str(self.repo), "config": self.config.name, "split": self.split.name}


def parquet(table: pa.Table, rows_a_group: int) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, row_group_size=rows_a_group)
    return sink.getvalue()


def plant(
    cast: Cast,
    tables: Sequence[pa.Table],
    *,
    name: str = "ada/data",
    private: bool = False,
    rows_a_group: int = 100,
) -> Planted:
    """A dataset of these tables, one file each."""
    repo = cast.repo(name, kind="dataset", private=private)
    paths = [f"default/train/{at:04}.parquet" for at in range(len(tables))]
    files = [parquet(table, rows_a_group) for table in tables]
    oid = commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[
            PutFile(EntryPath.parse(path), raw) for path, raw in zip(paths, files, strict=True)
        ],
        message=Message("Add rows"),
        by=signed_in(cast.root),
    )
    snapshot = Snapshot.objects.create(
        repo=repo, fingerprint=oid.hex(), pipeline_version=0, state=State.READY
    )
    CommitSnapshot.objects.create(repo=repo, commit=oid, snapshot=snapshot)
    schema = tables[0].schema
    config = Config.objects.create(
        snapshot=snapshot,
        name="default",
        ord=0,
        is_default=True,
        builder="parquet",
        features=features_of(schema),
        arrow_schema=schema.serialize().to_pybytes(),
        state=State.READY,
    )
    split = Split.objects.create(
        config=config,
        name="train",
        ord=0,
        state=State.READY,
        num_rows=sum(table.num_rows for table in tables),
        num_bytes_original=sum(map(len, files)),
        num_bytes_parquet=sum(map(len, files)),
        num_bytes_memory=sum(table.nbytes for table in tables),
    )
    commit = history.resolve(repo, RevisionName("main"))
    first = 0
    for at, (path, raw) in enumerate(zip(paths, files, strict=True)):
        entry = trees.entry_facts(repo.pk, commit, EntryPath.parse(path))
        source = Source.objects.create(
            split=split, ord=at, path=path, oid=entry.oid, size=len(raw), state=State.READY
        )
        footer = pq.read_metadata(BytesIO(raw))
        groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
        Shard.objects.create(
            split=split,
            source=source,
            kind=Shard.Kind.LINK,
            ord=0,
            path=path,
            oid=entry.oid,
            size=len(raw),
            num_rows=footer.num_rows,
            first_row=first,
            group_rows=[group.num_rows for group in groups],
            group_offsets=[0 for _ in groups],
            group_lengths=[group.total_byte_size for group in groups],
        )
        first += footer.num_rows
    return Planted(repo, oid, snapshot, config, split)


def artifact(planted: Planted, kind: str, **columns: object) -> Artifact:
    return Artifact.objects.create(
        snapshot=planted.snapshot,
        kind=kind,
        config="default",
        split="train",
        state=State.READY,
        **columns,
    )


def numbered(start: int, stop: int) -> pa.Table:
    """Rows whose every value tells which row it is."""
    rows = range(start, stop)
    return pa.table(
        {
            "id": pa.array(rows, pa.int64()),
            "kind": [("even", "odd")[row % 2] for row in rows],
            "text": [f"row number {row}" for row in rows],
            "vector": pa.array([[row, row / 2] for row in rows], pa.list_(pa.float32(), 2)),
        }
    )
