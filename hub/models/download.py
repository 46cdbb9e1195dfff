"""DownloadDay: how often a repo was downloaded on one day."""

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
