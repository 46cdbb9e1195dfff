"""AccessRequest: who asked to read a gated repo, and what became of it."""

from django.db import models
from django.db.models.functions import Now

from hub.models.repo import Repo
from teams.models import User


class AccessRequest(models.Model):
    """One user's wish to read one gated repo; who is let in without asking has one, too."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_requests")
    status = models.CharField(max_length=8, choices=Status.choices)
    fields = models.JSONField(default=dict)
    """What they filled in, by the labels of the card at that time."""
    was_asked = models.BooleanField(default=True)
    """They asked themselves, so their address is shown to the owners; else they were let in."""
    reason = models.CharField(max_length=1000, blank=True)
    """Why they were rejected, in the owners' words."""
    asked_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    """None if the gate lets everybody in who asks."""

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "user", name="one_access_request_per_user"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "accepted", "rejected"]),
                name="access_status_is_known",
            ),
        ]
        indexes = [
            models.Index("repo", "status", "id", name="access_by_status"),
            models.Index("user", "id", name="access_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} to {self.repo_id}: {self.status}"
