"""Shard: one Parquet file of a split, and where in it each of its row groups lies."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from datasets_app.models.snapshot import Source, Split


class Shard(models.Model):
    """A Parquet file that holds the rows from ``first_row`` on.

    Shards of a split in the order of ``first_row`` are its rows in order. Row group ``i`` has
    ``group_rows[i]`` rows; its pages are the ``group_lengths[i]`` bytes at ``group_offsets[i]``.

    A shard whose row groups are too large to page has a twin with the same rows in small ones:
    ``kind`` is then ``repack``, and readers take the twin (``queries/splits.shards_of``).
    """

    class Kind(models.TextChoices):
        LINK = "link"
        """The repo's own file, also on the export's ref."""
        EXPORT = "export"
        """Written by us."""
        REPACK = "repack"
        """Written by us beside a link, for the viewer and for streams."""

    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="shards")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="shards")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    ord = models.IntegerField()
    """From 0 within its source."""
    path = models.TextField(blank=True)
    """On ``refs/convert/parquet``: ``default/train/0000.parquet``. A repack has none there."""
    sha256 = models.BinaryField(max_length=32, null=True)
    """The large file that it is. None: it is a small file of the repo, the git object ``oid``."""
    oid = models.BinaryField(max_length=20)
    """The git object: the file itself, or the pointer to ``sha256``."""
    size = models.BigIntegerField()
    num_rows = models.BigIntegerField()
    first_row = models.BigIntegerField(default=0)
    """Its first row within the split; counted once the split is ready."""
    num_bytes_memory = models.BigIntegerField(default=0)
    group_rows = ArrayField(models.IntegerField())
    group_offsets = ArrayField(models.BigIntegerField())
    group_lengths = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [
            models.UniqueConstraint("source", "kind", "ord", name="one_shard_per_position"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["link", "export", "repack"]),
                name="shard_kind_is_known",
            ),
        ]
        indexes = [
            models.Index("split", "first_row", name="shard_by_first_row"),
        ]

    def __str__(self) -> str:
        return self.path
