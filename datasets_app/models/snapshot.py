"""Snapshot and what is in it: what all that is derived from a dataset's files hangs on.

How a reader finds the rows of a (repo, revision, config, split):

1. the revision comes to a commit id, by hub, which also says whether the caller may read it;
2. ``CommitSnapshot`` of (repo, commit) names the snapshot; without a row it was not planned yet;
3. ``Config`` of (snapshot, name), then ``Split`` of (config, name);
4. its ``Shard`` rows in the order of ``ord``, once ``Split.state`` is ready.

``datasets_app.queries.splits`` does all of that. Whatever is kept or cached of a dataset is keyed
by the snapshot, and a snapshot is only ever come to through its repo: so derived data is seen by
exactly those who may read the repo's files.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from hub.models import Repo


class State(models.TextChoices):
    """How far something derived has come."""

    WAITING = "waiting"
    """Nobody works on it yet."""
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    """``error`` tells why: nothing more happens to it until the files or our pipeline change."""


class Snapshot(models.Model):
    """One fingerprint of a dataset: data files, how they are read, and by which of our pipelines.

    Commits that differ in nothing of this share a snapshot.
    """

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="snapshots")
    fingerprint = models.CharField(max_length=64)
    pipeline_version = models.IntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    """Ready: every config is, and the export stands on its ref."""
    error_code = models.CharField(max_length=64, blank=True)
    """The viewer's word for what is wrong with the whole dataset (``DataFilesNotFoundError``)."""
    error = models.JSONField(null=True)
    """``{"message", "path"?, "column"?, "row"?}``"""
    export_commit = models.BinaryField(max_length=20, null=True)
    """The commit of ``refs/convert/parquet`` that its export was published with."""
    bytes_total = models.BigIntegerField(default=0)
    """Of all sources, as they lie in the repo."""
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(default=timezone.now)
    """When a branch or tag last came to it: some time after it is deleted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "repo", "fingerprint", "pipeline_version", name="one_snapshot_per_fingerprint"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="snapshot_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.fingerprint[:12]} of repo {self.repo_id}"


class CommitSnapshot(models.Model):
    """Which snapshot a commit comes to; a commit that was not looked at has no row."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="+")
    commit = models.BinaryField(max_length=20)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="commits")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "commit", name="one_snapshot_per_commit"),
        ]

    def __str__(self) -> str:
        return f"{bytes(self.commit).hex()} is snapshot {self.snapshot_id}"


class Config(models.Model):
    """A subset of a dataset with features of its own, in the order of the viewer."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="configs")
    name = models.CharField(max_length=255)
    ord = models.IntegerField()
    is_default = models.BooleanField(default=False)
    builder = models.CharField(max_length=32)
    """How its files are read: ``parquet``, ``csv``, ``json``, ``imagefolder`` …"""
    params = models.JSONField(default=dict)
    """Parameters of the builder that the card gives, and that we know."""
    features = models.JSONField(null=True)
    """As clients know them: ``{"column": {"dtype": "string", "_type": "Value"}}``.

    JSON keeps no order of keys: ``arrow_schema`` says in which order the columns come.
    """
    arrow_schema = models.BinaryField(null=True)
    """The Arrow IPC schema message of every shard, with ``features`` in its metadata."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("snapshot", "name", name="one_config_per_name"),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="config_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Split(models.Model):
    """A named part of a config: a run of rows."""

    config = models.ForeignKey(Config, on_delete=models.CASCADE, related_name="splits")
    name = models.CharField(max_length=255)
    ord = models.IntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    num_rows = models.BigIntegerField(null=True)
    num_bytes_original = models.BigIntegerField(default=0)
    """Of its sources."""
    num_bytes_parquet = models.BigIntegerField(null=True)
    num_bytes_memory = models.BigIntegerField(null=True)
    """Of its rows in Arrow's form."""
    error_code = models.CharField(max_length=64, blank=True)
    error = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("config", "name", name="one_split_per_name"),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="split_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """A file of the repo that rows of a split come from, and how far its export has come."""

    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="sources")
    ord = models.IntegerField()
    path = models.TextField()
    oid = models.BinaryField(max_length=20)
    """The git object: the file itself, or the pointer to ``sha256``."""
    sha256 = models.BinaryField(max_length=32, null=True)
    """Of a large file."""
    size = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    num_rows = models.BigIntegerField(null=True)
    arrow_schema = models.BinaryField(null=True)
    """What the file itself has; the config's is what all of them agree upon."""
    recipe = models.CharField(max_length=64, blank=True, db_index=True)
    """Hash of its bytes and of how they are read: the same recipe gives the same rows again."""
    cast_to = models.CharField(max_length=64, blank=True)
    """Hash of the schema that its shards were brought to; empty if it is the file's own."""
    members = models.JSONField(null=True)
    """Of a folder of images or the like: the files it stands for, ``[path, oid, sha256, size]``."""

    class Meta:
        constraints = [
            models.UniqueConstraint("split", "ord", name="one_source_per_position"),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="source_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.path


class Artifact(models.Model):
    """Something computed of a snapshot, a config (``config``) or a split (``config``, ``split``).

    Kind and version are whose code made it: statistics, an index, a full answer. ``preview`` of a
    split is there long before its shards: the first rows (at most 100, about 1 MiB) as an Arrow IPC
    stream in ``data``.
    """

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="artifacts")
    kind = models.CharField(max_length=32)
    config = models.CharField(max_length=255, blank=True)
    split = models.CharField(max_length=255, blank=True)
    version = models.IntegerField(default=1)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.JSONField(null=True)
    content = models.JSONField(null=True)
    data = models.BinaryField(null=True)
    """Small bytes, such as the Arrow stream of a preview."""
    blob_key = models.CharField(max_length=200, blank=True)
    """Where the store holds large ones."""
    progress = models.FloatField(default=0)
    """From 0 to 1."""
    columns = ArrayField(models.TextField(), default=list, blank=True)
    computed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "snapshot", "kind", "config", "split", name="one_artifact_per_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="artifact_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.config}/{self.split}"
