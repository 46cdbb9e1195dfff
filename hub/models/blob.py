"""Blob, RepoBlob, UnnamedKey: bytes by digest, which repo may read them, and what is to go."""

from django.db import models
from django.db.models.functions import Now

from hub.models.repo import Repo
from teams.models import User


class Blob(models.Model):
    """A large file that is stored whole. The row exists only once the bytes are durable."""

    sha256 = models.BinaryField(max_length=32, primary_key=True)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)
    condemned_at = models.DateTimeField(null=True)
    """Since when it waits to be deleted; whoever uploads or links it saves it."""
    scrubbed_at = models.DateTimeField(null=True)
    """When its bytes were last found to be what its digest says."""
    damaged_at = models.DateTimeField(null=True)
    """Since when its bytes are known to be damaged or gone: it is served to nobody."""
    conversion_tried_at = models.DateTimeField(null=True)
    """When a worker last began to make xorbs of it."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(size__gte=0), name="blob_size_is_natural"),
        ]
        indexes = [
            models.Index(
                "damaged_at", name="damaged_blob", condition=models.Q(damaged_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return bytes(self.sha256).hex()


class RepoBlob(models.Model):
    """The table of access: a repo may name and serve exactly the blobs that it has a row for."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="blob_rows")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="repo_rows")
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    """When somebody last uploaded or adopted it: a commit that names it may be on its way."""
    is_named = models.BooleanField(default=False, db_default=False)
    """Garbage collection saw a pointer to it in the repo, and has not collected the last one."""

    class Meta:
        constraints = [models.UniqueConstraint("repo", "blob", name="one_row_per_repo_and_blob")]
        indexes = [
            models.Index(
                "touched_at", name="blob_row_without_pointer", condition=models.Q(is_named=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.blob_id!r} in repo {self.repo_id}"


class PurgedFile(models.Model):
    """A large file that was deleted from a repo for good: old commits may still point to it."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="purged_rows")
    sha256 = models.BinaryField(max_length=32)
    purged_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "sha256", name="one_row_per_repo_and_purged_file")
        ]

    def __str__(self) -> str:
        return f"{bytes(self.sha256).hex()} no longer in repo {self.repo_id}"


class UnnamedKey(models.Model):
    """Bytes in the store whose row is gone: they are dropped unless a row names them again.

    It is written in the transaction that deletes the row, so that no crash leaves bytes behind.
    """

    key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    def __str__(self) -> str:
        return self.key
