"""Mail: a letter that waits to be sent, written in the transaction that causes it."""

from django.db import models
from django.db.models.functions import Now

MAX_SUBJECT = 200


class Mail(models.Model):
    """One letter to one address. The row is the truth; a task sends it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    to = models.EmailField()
    subject = models.CharField(max_length=MAX_SUBJECT)
    text = models.TextField(blank=True)
    """Empty once nobody will send it any more: it may hold a link that is a secret."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    """The next attempt; while one is under way, when somebody else may take it over."""
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sent", "failed"]),
                name="mail_state_is_known",
            ),
        ]
        indexes = [
            models.Index("due_at", condition=models.Q(state="waiting"), name="mail_due"),
            models.Index("to", "created_at", name="mail_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.to}"
