"""Event: the outbox row, written in the transaction that it tells of."""

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """Something that became true of a repo, as the repo was then.

    There is no foreign key: events outlive what they tell of.
    """

    repo_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    """Grows within a repo: by it a receiver puts events in order. It is ``Repo.version``."""
    scope = models.CharField(max_length=32)
    action = models.CharField(max_length=8)
    kind = models.CharField(max_length=8)
    repo_name = models.CharField(max_length=200)
    """``namespace/name``; of a repo that moves the old one."""
    is_private = models.BooleanField()
    owner_id = models.BigIntegerField()
    """The namespace that owned the repo."""
    group_id = models.BigIntegerField(null=True)
    """The resource group that it was in."""
    head = models.BinaryField(max_length=20, null=True)
    """The commit of the default branch."""
    actor_id = models.BigIntegerField(null=True)
    """The namespace of the user who did it, if it was one."""
    actor_name = models.CharField(max_length=96, blank=True)
    details = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    is_waiting = models.BooleanField(db_default=True)
    """Nobody has looked yet who is to be told."""

    class Meta:
        constraints = [
            models.UniqueConstraint("repo_id", "seq", name="one_event_per_repo_and_seq"),
        ]
        indexes = [
            models.Index("id", condition=models.Q(is_waiting=True), name="event_waiting"),
            models.Index("created_at", name="event_by_time"),
            models.Index("actor_id", "id", name="event_by_actor"),
            models.Index("owner_id", "id", name="event_by_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.scope}.{self.action} of {self.repo_name}"
