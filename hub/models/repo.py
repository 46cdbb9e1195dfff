"""Repo: kind, name, visibility, gate; and the names that it had before."""

from django.db import models
from django.db.models.functions import Lower

from hub.names import RepoKind, RepoName
from teams.models import Namespace, ResourceGroup, User
from teams.names import public_id


class Repo(models.Model):
    """A versioned collection of files under one name."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"

    class Gate(models.TextChoices):
        OPEN = ""
        AUTO = "auto"
        MANUAL = "manual"

    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in RepoKind])
    namespace = models.ForeignKey(Namespace, on_delete=models.PROTECT, related_name="repos")
    name = models.CharField(max_length=96)
    # Protected: without its group the repo would be seen by more people.
    resource_group = models.ForeignKey(
        ResourceGroup, null=True, blank=True, on_delete=models.PROTECT, related_name="repos"
    )
    visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    gate = models.CharField(max_length=8, choices=Gate.choices, default=Gate.OPEN, blank=True)
    discussions_disabled = models.BooleanField(default=False)
    sdk = models.CharField(max_length=16, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_modified = models.DateTimeField(auto_now_add=True)
    default_branch = models.CharField(max_length=255, default="main")

    version = models.BigIntegerField(default=0)
    """Grows by one with every event; its row lock is the repo's publish lock."""
    next_line = models.IntegerField(default=1)
    dirty = models.BooleanField(default=False)
    """Objects may be unreachable: something for garbage collection to look at."""
    git_bytes = models.BigIntegerField(default=0)

    is_guarded = models.BooleanField(default=False)
    """Some ``RefRule`` holds here, to be asked whenever a ref moves."""
    likes = models.IntegerField(default=0)
    downloads = models.BigIntegerField(default=0)
    """Of the last 30 days; recounted from ``DownloadDay`` by a task."""
    downloads_all_time = models.BigIntegerField(default=0)
    trending = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "kind", "namespace", Lower("name"), name="one_repo_per_name_and_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in RepoKind]),
                name="repo_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(visibility__in=["public", "private"]),
                name="repo_visibility_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(gate__in=["", "auto", "manual"]), name="repo_gate_is_known"
            ),
        ]
        # Read backwards by lists, newest or highest first: (value, id) is also a page's cursor.
        indexes = [
            models.Index("kind", "last_modified", "id", name="repo_by_modified"),
            models.Index("kind", "created_at", "id", name="repo_by_created"),
            models.Index("kind", "downloads", "id", name="repo_by_downloads"),
            models.Index("kind", "likes", "id", name="repo_by_likes"),
            models.Index("kind", "trending", "id", name="repo_by_trending"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def repo_kind(self) -> RepoKind:
        return RepoKind(self.kind)

    @property
    def full_name(self) -> str:
        return f"{self.namespace.name}/{self.name}"

    @property
    def repo_name(self) -> RepoName:
        return RepoName(self.namespace.name, self.name)

    @property
    def private(self) -> bool:
        return self.visibility == self.Visibility.PRIVATE

    @property
    def gated(self) -> str | bool:
        """``False``, ``"auto"`` or ``"manual"``: the shape that clients read."""
        return self.gate or False

    @property
    def url(self) -> str:
        """Path of the repo's page; clients use the same path for its files."""
        return f"/{self.repo_kind.prefix}{self.full_name}"

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.pk)


class RepoRedirect(models.Model):
    """A name that a repo had before; requests for it are sent to the new one."""

    kind = models.CharField(max_length=8)
    old_name = models.CharField(max_length=200)
    """``namespace/name`` in lower case."""
    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="redirects")

    class Meta:
        constraints = [
            models.UniqueConstraint("kind", "old_name", name="one_redirect_per_old_name"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.old_name}"
