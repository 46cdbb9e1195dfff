"""Scan: the verdict on one file's bytes in one repo, and who let them out in spite of it."""

from django.db import models
from django.db.models.functions import Now

from hub.models.repo import Repo
from teams.models import User


class Scan(models.Model):
    """What is known of the safety of a file; no row is no verdict.

    Its row is written with the file's object, in the transaction that publishes it. Verdicts are
    kept by repo: of two files with the same SHA-1 only one can be in a repo.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SAFE = "safe"
        CAUTION = "caution"
        ERROR = "error"
        SUSPICIOUS = "suspicious"
        UNSAFE = "unsafe"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="scans")
    key = models.BinaryField(max_length=32)
    """SHA-256 of a large file, git's id of any other."""
    state = models.CharField(max_length=10, choices=State.choices, db_default="queued")
    before = models.CharField(max_length=10, blank=True, default="", db_default="")
    """The verdict that holds while the file waits to be scanned anew; none before the first."""
    rules = models.IntegerField(db_default=0)
    """Of which version the rules were that led to it."""
    details = models.JSONField(db_default={})
    """``hub.scanning.verdicts.Verdict`` as JSON."""
    attempts = models.SmallIntegerField(db_default=0)
    """How often a worker took it and came to no end."""
    claimed_until = models.DateTimeField(null=True)
    scanned_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    """Since when it is served whatever the verdict; until another is worse."""
    released_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "key", name="one_scan_per_repo_and_file"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["queued", "safe", "caution", "error", "suspicious", "unsafe"]
                ),
                name="scan_state_is_known",
            ),
        ]
        indexes = [
            models.Index("id", name="scan_queued", condition=models.Q(state="queued")),
            models.Index(
                "repo",
                "id",
                name="scan_with_issue",
                condition=models.Q(state__in=["caution", "error", "suspicious", "unsafe"]),
            ),
            # Who publishes writes rows that wait: these two cost them nothing.
            models.Index("rules", "id", name="scan_by_rules", condition=~models.Q(state="queued")),
            models.Index("key", name="scan_by_key", condition=~models.Q(state="queued")),
        ]

    def __str__(self) -> str:
        return f"{bytes(self.key).hex()} in repo {self.repo_id}: {self.state}"
