"""Notification: something that a person may want to look at."""

from django.db import models
from django.db.models.functions import Now

from hub.models.discussion import Discussion
from hub.models.protection import Promotion
from hub.models.repo import Repo
from hub.models.webhook import Webhook
from teams.models import User


class Notification(models.Model):
    """News of one discussion, promotion or webhook for one user; the unread has one row."""

    class Reason(models.TextChoices):
        MENTION = "mention"
        PARTICIPANT = "participant"
        OWNER = "owner"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="+")
    """None for what is news of a webhook."""
    discussion = models.ForeignKey(
        Discussion, null=True, on_delete=models.CASCADE, related_name="+"
    )
    promotion = models.ForeignKey(Promotion, null=True, on_delete=models.CASCADE, related_name="+")
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    """Why this user is told: the strongest reason since they last looked."""
    told = models.CharField(max_length=48)
    """Scope and action of the last news."""
    actor = models.CharField(max_length=96, blank=True)
    """Who did it, by name."""
    count = models.IntegerField(default=1)
    """News since they last looked."""
    updated_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    repo__isnull=False,
                    webhook__isnull=True,
                    discussion__isnull=False,
                    promotion__isnull=True,
                )
                | models.Q(
                    repo__isnull=False,
                    webhook__isnull=True,
                    discussion__isnull=True,
                    promotion__isnull=False,
                )
                | models.Q(
                    repo__isnull=True,
                    webhook__isnull=False,
                    discussion__isnull=True,
                    promotion__isnull=True,
                ),
                name="notification_is_of_one_thing",
            ),
            models.UniqueConstraint(
                "user",
                "discussion",
                condition=models.Q(read_at=None, discussion__isnull=False),
                name="one_unread_per_discussion",
            ),
            models.UniqueConstraint(
                "user",
                "promotion",
                condition=models.Q(read_at=None, promotion__isnull=False),
                name="one_unread_per_promotion",
            ),
            models.UniqueConstraint(
                "user",
                "webhook",
                condition=models.Q(read_at=None, webhook__isnull=False),
                name="one_unread_per_webhook",
            ),
        ]
        indexes = [
            models.Index("user", "updated_at", "id", name="notification_by_user"),
            models.Index("user", condition=models.Q(read_at=None), name="notification_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.told} for {self.user_id}"
