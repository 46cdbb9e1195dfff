"""RefRule, CommitStatus, Approval, Promotion: what has to be so before a ref moves."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from hub.models.discussion import Discussion
from hub.models.repo import Repo
from teams.models import User
from teams.roles import Role

MAX_CONTEXT = 100
MAX_NEEDED = 6


class RefRule(models.Model):
    """What has to be so before a branch or a tag moves. Where several fit, all of them hold."""

    class Kind(models.TextChoices):
        BRANCH = "branch"
        TAG = "tag"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="ref_rules")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    pattern = models.CharField(max_length=255)
    """A glob over short names; a star matches no slash."""
    least_role = models.SmallIntegerField(default=Role.WRITE)
    movers = models.ManyToManyField(User, related_name="+")
    """Who may move it with a lesser role, if they may write at all."""
    keeps_history = models.BooleanField(default=True)
    """A branch only grows; a tag stays where it was put."""
    forbids_deletion = models.BooleanField(default=True)
    needs_pull_request = models.BooleanField(default=False)
    needed_approvals = models.SmallIntegerField(default=0)
    """Of others: of a pull request into the branch, or of the promotion that moves the tag."""
    needed_checks = ArrayField(models.CharField(max_length=MAX_CONTEXT), default=list, blank=True)
    """The contexts of commit statuses that must be successes."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "kind", "pattern", name="one_rule_per_pattern"),
            models.CheckConstraint(
                condition=models.Q(kind="branch") | models.Q(kind="tag", needs_pull_request=False),
                name="rule_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(needed_approvals__gte=0, needed_approvals__lte=MAX_NEEDED),
                name="needed_approvals_are_few",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"


class CommitStatus(models.Model):
    """What a CI system found out about a commit, by the name of its check."""

    class State(models.TextChoices):
        PENDING = "pending"
        SUCCESS = "success"
        FAILURE = "failure"
        ERROR = "error"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="statuses")
    oid = models.BinaryField(max_length=20)
    context = models.CharField(max_length=MAX_CONTEXT)
    state = models.CharField(max_length=8, choices=State.choices)
    description = models.CharField(max_length=200, blank=True)
    target_url = models.CharField(max_length=1000, blank=True)
    reported_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "oid", "context", name="one_status_per_context"),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "success", "failure", "error"]),
                name="status_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.context}: {self.state}"


class Approval(models.Model):
    """Somebody has looked at a pull request, as it was then, and would have it merged."""

    discussion = models.ForeignKey(Discussion, on_delete=models.CASCADE, related_name="approvals")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    head = models.BinaryField(max_length=20)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint("discussion", "user", name="one_approval_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} approves {self.discussion_id}"


class Promotion(models.Model):
    """A wish to let a tag name a commit, and what others said of it."""

    class Status(models.TextChoices):
        OPEN = "open"
        DONE = "done"
        REFUSED = "refused"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="promotions")
    tag = models.CharField(max_length=255)
    old = models.BinaryField(max_length=20, null=True)
    """What the tag named when it was asked for; None if it was not there."""
    new = models.BinaryField(max_length=20)
    """The commit that it is to name."""
    note = models.CharField(max_length=1000, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    approvers = models.ManyToManyField(User, related_name="+")
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="open", decided_at=None)
                | models.Q(status__in=["done", "refused"], decided_at__isnull=False),
                name="promotion_is_decided_once",
            ),
            models.UniqueConstraint(
                "repo", "tag", condition=models.Q(status="open"), name="one_open_promotion_per_tag"
            ),
        ]
        indexes = [models.Index("repo", "id", name="promotion_by_repo")]

    def __str__(self) -> str:
        return f"{self.tag} of {self.repo}"
