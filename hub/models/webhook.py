"""Webhook, what it watches, and what was sent to it: Watch, Delivery, Attempt."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from hub.models.event import Event
from hub.outgoing.presets import Preset
from teams.models import Namespace, User
from teams.names import public_id


class Webhook(models.Model):
    """A URL that is told of events. What could be abused is sealed: URL and secrets."""

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="webhooks")
    """The user or organisation that it belongs to; it hears what they may see."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    url = models.BinaryField()
    preset = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in Preset], db_default="plain"
    )
    """Whom it speaks to: anybody, or a CI system in that system's own words."""
    credential = models.BinaryField(null=True)
    """By which that system knows us."""
    shared_token = models.BinaryField(null=True)
    secret = models.BinaryField()
    next_secret = models.BinaryField(null=True)
    old_secret = models.BinaryField(null=True)
    old_secret_until = models.DateTimeField(null=True)
    domains = ArrayField(models.CharField(max_length=16))
    """``repo``, ``discussion``: the first word of a scope."""
    events = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    """Finer than domains; empty is all of them."""
    ref_globs = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    path_globs = ArrayField(models.CharField(max_length=255), default=list, blank=True)

    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failures = models.IntegerField(default=0)
    """In a row, up to now."""
    failing_since = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    """Until when it rests."""
    rests = models.SmallIntegerField(db_default=0)
    """How often in a row it rested because too many attempts of one window failed."""
    window_began = models.DateTimeField(null=True)
    window_attempts = models.IntegerField(db_default=0)
    window_failures = models.IntegerField(db_default=0)
    warned_at = models.DateTimeField(null=True)
    """When its owners were told that it will be disabled."""

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.pk)


class Watch(models.Model):
    """One repo, or all repos of one namespace, that a webhook hears of.

    There is no foreign key to what is watched: of its end, too, there is something to tell.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="watches")
    kind = models.CharField(max_length=8)
    """``model``, ``dataset``, ``space``, ``user`` or ``org``."""
    name = models.CharField(max_length=200)
    """As it was called when it was named."""
    repo_id = models.BigIntegerField(null=True)
    namespace_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repo_id__isnull=True) ^ models.Q(namespace_id__isnull=True),
                name="watch_is_of_a_repo_or_a_namespace",
            ),
        ]
        indexes = [
            models.Index("repo_id", name="watch_by_repo"),
            models.Index("namespace_id", name="watch_by_namespace"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Delivery(models.Model):
    """One event on its way to one webhook."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        DONE = "done"
        FAILED = "failed"
        SKIPPED = "skipped"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, null=True, on_delete=models.CASCADE, related_name="deliveries")
    """None for a ping."""
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    message_id = models.CharField(max_length=64)
    """By it receivers know what they had already: the same at each attempt and replay."""
    scope = models.CharField(max_length=48)
    body = models.BinaryField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    attempt = models.IntegerField(default=0)
    due = models.DateTimeField(db_default=Now())
    """When it is tried next; of one that is being sent, when its sender is given up."""
    replay_no = models.IntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "event", "webhook", "replay_no", name="one_delivery_per_event_and_webhook"
            ),
        ]
        indexes = [
            models.Index(
                "webhook",
                "due",
                condition=models.Q(state__in=["pending", "sending"]),
                name="delivery_due",
            ),
            models.Index("webhook", "id", name="delivery_by_webhook"),
            models.Index("created_at", name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} to {self.webhook_id}: {self.state}"


class Attempt(models.Model):
    """One request and its answer."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField()
    ms = models.IntegerField()
    status = models.IntegerField(null=True)
    error = models.TextField(blank=True)
    request_headers = models.JSONField()
    response_headers = models.JSONField()
    response_body = models.BinaryField()
    response_bytes = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.status or self.error} after {self.ms} ms"
