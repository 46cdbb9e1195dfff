"""DownloadDay and DownloadSeen: how often a repo was downloaded, and by whom just now."""

from django.db import models

from hub.models.repo import Repo


class DownloadDay(models.Model):
    """The truth behind ``Repo.downloads``, which a task recounts."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="download_days")
    day = models.DateField()
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("repo", "day", name="one_count_per_repo_and_day")]
        indexes = [models.Index("day", name="download_by_day")]

    def __str__(self) -> str:
        return f"{self.count} on {self.day}"


class DownloadSeen(models.Model):
    """A caller who downloaded from a repo just now: what else they fetch is the same download."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="+")
    caller = models.BinaryField(max_length=16)
    """A keyed hash of who they are; it can't be read back."""
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "caller", name="one_download_per_repo_and_caller")
        ]

    def __str__(self) -> str:
        return f"repo {self.repo_id} until {self.until:%H:%M:%S}"
