"""Xorb, XetShard, XetFile, XetRepoFile: large files that are stored as terms over xorbs.

A xorb's chunk hashes are not here but beside its bytes (``.idx``): they are secrets of whoever
holds the data, and too many for rows.
"""

from django.db import models
from django.db.models.functions import Now

from hub.models.repo import Repo
from teams.models import Namespace, User


class XetDomain(models.Model):
    """Whose xorbs may be combined: one domain per namespace. Its id stands in every casUrl."""

    namespace = models.OneToOneField(Namespace, on_delete=models.CASCADE, related_name="xet_domain")
    epoch = models.IntegerField(default=1)
    """Part of the casUrl; raising it makes clients forget their local caches."""

    def __str__(self) -> str:
        return f"{self.pk}.{self.epoch}"


class Xorb(models.Model):
    """A container of chunks; the row exists only once bytes and index are durable."""

    hash = models.BinaryField(max_length=32, unique=True)
    n_chunks = models.IntegerField()
    raw_bytes = models.BigIntegerField()
    stored_bytes = models.BigIntegerField()
    chunk_ends = models.BinaryField()
    """u32 little-endian, one per chunk: where it ends in the stored bytes."""
    chunk_lens = models.BinaryField()
    """u32 little-endian, one per chunk: its raw length."""
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)
    """When a client last learnt that it is here: for weeks it may refer to it unasked."""
    condemned_at = models.DateTimeField(null=True)
    """Since when it is no longer offered to anybody; whoever names it still saves it."""
    scrubbed_at = models.DateTimeField(null=True)
    """When its bytes were last found to be what its hash says."""
    damaged_at = models.DateTimeField(null=True)
    """Since when its bytes are known to be damaged or gone: it is served to nobody."""

    class Meta:
        indexes = [
            models.Index(
                "damaged_at", name="damaged_xorb", condition=models.Q(damaged_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()


class XorbDomain(models.Model):
    """Membership: somebody of the domain has shown the whole bytes of the xorb."""

    xorb = models.ForeignKey(Xorb, on_delete=models.CASCADE, related_name="domain_rows")
    domain = models.ForeignKey(XetDomain, on_delete=models.CASCADE, related_name="xorb_rows")
    first_user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("xorb", "domain", name="one_row_per_xorb_and_domain")
        ]

    def __str__(self) -> str:
        return f"xorb {self.xorb_id} in domain {self.domain_id}"


class XetShard(models.Model):
    """What a client said when it registered files; the row exists only once its bytes are durable.

    From it the files can be found anew, and the chunks by which clients ask for them. It is kept
    for as long as a file that it brought.
    """

    sha256 = models.BinaryField(max_length=32, primary_key=True)
    day = models.DateField()
    """When it came first: a part of its key."""
    size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)
    condemned_at = models.DateTimeField(null=True)
    """Since when it waits to be deleted; whoever sends it again saves it."""
    scrubbed_at = models.DateTimeField(null=True)
    """When its bytes were last found to be what its digest says."""
    damaged_at = models.DateTimeField(null=True)
    """Since when its bytes are known to be damaged or gone."""

    class Meta:
        indexes = [
            models.Index(
                "damaged_at", name="damaged_shard", condition=models.Q(damaged_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return bytes(self.sha256).hex()


class XetFile(models.Model):
    """A file as ordered terms. Its sha256 was computed by us over the reconstructed bytes."""

    hash = models.BinaryField(max_length=32, unique=True)
    sha256 = models.BinaryField(max_length=32, db_index=True)
    size = models.BigIntegerField()
    terms = models.BinaryField()
    """Per term: xorb id (i64), first chunk, end chunk, raw length (u32 each), little-endian."""
    shard = models.ForeignKey(
        XetShard, null=True, on_delete=models.PROTECT, related_name="file_rows"
    )
    """By which it came; none where that was before shards had rows."""
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return bytes(self.hash).hex()


class XetFileXorb(models.Model):
    """Which xorbs a file needs: for garbage collection and ``hub_fsck``."""

    file = models.ForeignKey(XetFile, on_delete=models.CASCADE, related_name="xorb_rows")
    xorb = models.ForeignKey(Xorb, on_delete=models.PROTECT, related_name="file_rows")

    class Meta:
        constraints = [models.UniqueConstraint("file", "xorb", name="one_row_per_file_and_xorb")]

    def __str__(self) -> str:
        return f"file {self.file_id} needs xorb {self.xorb_id}"


class XetRepoFile(models.Model):
    """The table of access: a repo may name and serve exactly the files that it has a row for."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="xet_rows")
    file = models.ForeignKey(XetFile, on_delete=models.PROTECT, related_name="repo_rows")
    sha256 = models.BinaryField(max_length=32)
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    """When somebody last uploaded or adopted it: a commit that names it may be on its way."""
    is_named = models.BooleanField(default=False, db_default=False)
    """Garbage collection saw a pointer to it in the repo, and has not collected the last one."""

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "file", name="one_row_per_repo_and_file"),
        ]
        indexes = [
            models.Index("repo", "sha256", name="xet_file_by_repo_and_sha256"),
            models.Index(
                "touched_at", name="xet_row_without_pointer", condition=models.Q(is_named=False)
            ),
        ]

    def __str__(self) -> str:
        return f"file {self.file_id} in repo {self.repo_id}"


class XetDedupChunk(models.Model):
    """A chunk by which a client may find out that its domain holds more of the same.

    Only a few chunks of a file have a row: its first, and those that clients ask about. A row is a
    hint: who deletes the file or the xorb deletes it too, and nothing is lost with it.
    """

    domain = models.ForeignKey(XetDomain, on_delete=models.CASCADE, related_name="+")
    chunk_hash = models.BinaryField(max_length=32)
    xorb = models.ForeignKey(Xorb, on_delete=models.CASCADE, related_name="dedup_rows")
    file = models.ForeignKey(XetFile, on_delete=models.CASCADE, related_name="dedup_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint("domain", "chunk_hash", name="one_row_per_domain_and_chunk")
        ]

    def __str__(self) -> str:
        return f"a chunk of xorb {self.xorb_id} in domain {self.domain_id}"
