"""Job: work that somebody asked for and a worker does; JobEvent: what is told of it meanwhile."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from hub.models.repo import Repo
from teams.names import public_id

OPEN = ("queued", "running")
"""The states of jobs that are not over."""


class Job(models.Model):
    """A piece of work. The row is the truth; whoever it is claimed by holds it by a lease.

    Each claim counts ``attempt`` up, and everything that a worker writes names its attempt: one
    that lost its lease can change nothing more.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=48)
    key = models.CharField(max_length=200, blank=True)
    """What it is about: one of each kind and key waits at a time, and one runs."""
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="jobs")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    """Who asked for it; None is the hub itself."""
    queue = models.CharField(max_length=16)
    priority = models.SmallIntegerField(default=5)
    """Lower goes first."""
    params = models.JSONField(default=dict)
    outputs = models.JSONField(default=dict)

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    """Attempts that came to nothing."""
    due = models.DateTimeField(db_default=Now())
    """When it may be begun; of one that runs, when its worker is given up."""
    cancel_asked_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=200, blank=True)
    """What is being done, in words."""
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    """So much of so much, in units of its kind; 0 is not known."""
    error_code = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=2000, blank=True)

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=OPEN) ^ models.Q(finished_at__isnull=False),
                name="job_is_open_or_finished",
            ),
            models.UniqueConstraint(
                "kind",
                "key",
                condition=models.Q(state="queued") & ~models.Q(key=""),
                name="one_queued_job_per_key",
            ),
        ]
        indexes = [
            models.Index(
                "queue",
                "priority",
                "id",
                condition=models.Q(state__in=OPEN),
                name="job_waiting",
            ),
            models.Index("kind", "key", condition=models.Q(state="running"), name="job_running"),
            models.Index(fields=["repo", "-id"], name="job_by_repo"),
            models.Index(fields=["by", "-id"], name="job_by_user"),
            models.Index(
                "finished_at", condition=models.Q(finished_at__isnull=False), name="job_by_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def public_id(self) -> str:
        """24 hex digits, as all ids are shown."""
        return public_id(self.pk)

    @property
    def is_over(self) -> bool:
        return self.state not in OPEN


class JobEvent(models.Model):
    """One line of a job's story: a state, a line of its log, a figure."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    attempt = models.IntegerField()
    type = models.CharField(max_length=16)
    """``state``, ``log``, or what its kind has to tell."""
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index("job", "id", name="job_event_in_order")]

    def __str__(self) -> str:
        return f"{self.type} of {self.job_id}"
