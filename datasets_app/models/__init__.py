"""Rows and constraints of snapshots, their splits and shards."""

from datasets_app.models.shard import Shard
from datasets_app.models.snapshot import (
    Artifact,
    CommitSnapshot,
    Config,
    Snapshot,
    Source,
    Split,
    State,
)

__all__ = [
    "Artifact",
    "CommitSnapshot",
    "Config",
    "Shard",
    "Snapshot",
    "Source",
    "Split",
    "State",
]
