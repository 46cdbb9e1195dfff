"""Namespace: one row per taken name, shared by users and organisations."""

from django.db import models
from django.db.models.functions import Lower


class Namespace(models.Model):
    """A name that owns repos."""

    class Kind(models.TextChoices):
        USER = "user"
        ORGANISATION = "org"
        RETIRED = "retired"
        """Its owner is gone; nobody gets the name again."""

    name = models.CharField(max_length=96)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    scan_policy = models.CharField(max_length=10, blank=True, default="", db_default="")
    """What becomes of its files by what scanners say of them; empty: what the hub does."""

    quota_bytes = models.BigIntegerField(null=True)
    """How much its repos may hold; None: what the instance says."""
    audits_reads = models.BooleanField(default=False, db_default=False)
    """Whether reading its private repos goes into the audit log."""

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="one_namespace_per_name"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["user", "org", "retired"]),
                name="namespace_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(scan_policy__in=["", "warn", "quarantine", "block"]),
                name="scan_policy_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(quota_bytes=None) | models.Q(quota_bytes__gte=0),
                name="quota_is_natural",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """Path of the profile page."""
        return f"/{self.name}"
