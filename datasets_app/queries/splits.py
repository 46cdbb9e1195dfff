"""From a commit to the shards of a split, and to their bytes.

The caller has asked hub for the commit, as somebody who may read the repo: nothing here asks again.
"""

from datasets_app.errors import NotPlanned, UnknownConfig, UnknownSplit
from datasets_app.models import CommitSnapshot, Config, Shard, Snapshot, Split
from hub.models import Repo
from hub.queries.content import known_content
from hub.storage.large_files import Content


def snapshot_of(repo_id: int, commit: bytes) -> Snapshot:
    """The snapshot that a commit comes to.

    Raises:
        NotPlanned: nobody has looked at it yet.
    """
    found = (
        CommitSnapshot.objects.filter(repo_id=repo_id, commit=commit)
        .select_related("snapshot")
        .first()
    )
    if found is None:
        raise NotPlanned
    return found.snapshot


def config_of(snapshot: Snapshot, name: str) -> Config:
    """A config by name.

    Raises:
        UnknownConfig: there is none.
    """
    found = Config.objects.filter(snapshot=snapshot, name=name).first()
    if found is None:
        raise UnknownConfig(f"Config {name!r} does not exist.")
    return found


def split_of(snapshot: Snapshot, config: str, name: str) -> Split:
    """A split by the names of its config and its own, with the config's row.

    Raises:
        UnknownConfig, UnknownSplit: there is none.
    """
    row = config_of(snapshot, config)
    found = Split.objects.filter(config=row, name=name).select_related("config").first()
    if found is None:
        raise UnknownSplit(f"Split {name!r} of config {config!r} does not exist.")
    return found


def splits_of(snapshot: Snapshot) -> list[Split]:
    """All splits with their configs' rows, in the order of the viewer."""
    return list(
        Split.objects.filter(config__snapshot=snapshot)
        .select_related("config")
        .order_by("config__ord", "ord")
    )


def shards_of(split: Split) -> list[Shard]:
    """The shards that hold the rows of a split in order, each once, in small row groups."""
    rows = Shard.objects.filter(split=split).order_by("first_row", "source__ord", "ord")
    shards = list(rows.exclude(num_rows=0))
    repacked = {shard.source_id for shard in shards if shard.kind == Shard.Kind.REPACK}
    return [
        shard
        for shard in shards
        if shard.kind != Shard.Kind.LINK or shard.source_id not in repacked
    ]


def exported_of(split: Split) -> list[Shard]:
    """The shards of a split that stand on ``refs/convert/parquet``, by their paths."""
    rows = Shard.objects.filter(split=split).exclude(kind=Shard.Kind.REPACK)
    return list(rows.order_by("path"))


def content_of(repo: Repo, shard: Shard) -> Content:
    """The bytes of a shard; ``key`` says where the store holds them, if it does as one blob.

    Raises:
        EntryNotFound: it was deleted from the repo for good.
        FileWithheld: scanners have not let it out.
    """
    sha256 = bytes(shard.sha256) if shard.sha256 is not None else None
    name = shard.path.rpartition("/")[2]
    return known_content(repo, bytes(shard.oid), sha256, name)
