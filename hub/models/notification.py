"""Notification: something that a person may want to look at."""

from django.db import models
from django.db.models.functions import Now

from hub.models.access import AccessRequest
from hub.models.discussion import Discussion
from hub.models.protection import Promotion
from hub.models.repo import Repo
from hub.models.webhook import Webhook
from teams.models import User

_THINGS = ("discussion", "promotion", "access", "webhook")


def _of_one_thing() -> models.Q:
    """Exactly one of the things is named; all but a webhook are of a repo."""
    found = models.Q()
    for thing in _THINGS:
        nulls = {f"{one}__isnull": one != thing for one in _THINGS}
        found |= models.Q(repo__isnull=thing == "webhook", **nulls)
    return found


class Notification(models.Model):
    """News of one discussion, promotion, access request or webhook for one user; the unread has
    one row.
    """

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
    access = models.ForeignKey(AccessRequest, null=True, on_delete=models.CASCADE, related_name="+")
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
                condition=_of_one_thing(),
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
                "access",
                condition=models.Q(read_at=None, access__isnull=False),
                name="one_unread_per_access_request",
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
