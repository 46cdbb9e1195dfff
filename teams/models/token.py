"""AccessToken: hashed secret, role, last use; TokenScope: what a fine-grained one is for."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from teams.models import sql
from teams.models.namespace import Namespace
from teams.models.user import User

SHUT_OUT = """ARRAY(
    SELECT o.namespace_id FROM teams_tokenreview v
    JOIN teams_organisation o ON o.id = v.organisation_id
    WHERE v.token_id = t.id AND NOT v.approved
    UNION
    SELECT o.namespace_id FROM teams_tokenpolicy p
    JOIN teams_organisation o ON o.id = p.organisation_id
    WHERE p.takes <> 'any' AND t.origin NOT IN ('job', 'oidc')
      AND NOT (t.role = 'fineGrained' AND (p.takes = 'fine' OR EXISTS (
        SELECT 1 FROM teams_tokenreview v
        WHERE v.token_id = t.id AND v.organisation_id = p.organisation_id AND v.approved))))"""
"""Of a token ``t``: the namespaces of the organisations whose policy, or whose admin, refuses it.
What the hub itself made for a job or a CI system is as narrow as a policy could wish."""


class AccessToken(models.Model):
    """A secret that programs show instead of a password. Only its SHA-256 is stored."""

    class TokenRole(models.TextChoices):
        READ = "read"
        WRITE = "write"
        FINE_GRAINED = "fineGrained"

    class Origin(models.TextChoices):
        """How a token came to be; each but the first has a prefix of its own."""

        PERSON = "", "made by its owner"
        OAUTH = "oauth", "a sign-in from a terminal"
        OIDC = "oidc", "an identity token of a CI system"
        JOB = "job", "a job"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=16, choices=TokenRole.choices)
    origin = models.CharField(
        max_length=8, choices=Origin.choices, blank=True, default="", db_default=""
    )
    made_for = models.CharField(max_length=64, blank=True, default="", db_default="")
    """What it lives and dies with, such as ``job:12``; nobody looks at what it says."""
    digest = models.BinaryField(max_length=32, unique=True)
    last4 = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["read", "write", "fineGrained"]),
                name="token_role_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(origin__in=["", "oauth", "oidc", "job"]),
                name="token_origin_is_known",
            ),
        ]
        indexes = [
            models.Index("made_for", condition=~models.Q(made_for=""), name="token_made_for"),
            models.Index("user", "created_at", name="token_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.last4})"

    @cached_property
    def shut_out(self) -> frozenset[int]:
        """The namespaces of the organisations that do not take this token."""
        row = sql.row(f"SELECT {SHUT_OUT} FROM teams_accesstoken t WHERE t.id = %s", [self.pk])
        return frozenset(row[0] if row else ())

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired, and its owner may sign in."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired and self.user.is_active


MACHINE_MADE = (AccessToken.Origin.JOB, AccessToken.Origin.OIDC)
"""Origins of tokens that no person asked for."""


class TokenScope(models.Model):
    """What a fine-grained token is allowed: to one repo, or in one namespace, or everywhere."""

    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="scopes")
    namespace = models.ForeignKey(
        Namespace, null=True, on_delete=models.CASCADE, related_name="token_scopes"
    )
    """Of a repo its owner when the token was made."""
    repo_id = models.BigIntegerField(null=True)
    """Repos are not known on this floor: a number that is never given out twice."""
    permissions = ArrayField(models.CharField(max_length=32))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "token",
                "namespace",
                "repo_id",
                name="one_scope_per_thing",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(repo_id=None) | models.Q(namespace__isnull=False),
                name="scope_of_a_repo_names_its_owner",
            ),
        ]
        indexes = [
            models.Index("repo_id", condition=models.Q(repo_id__isnull=False), name="scope_by_repo")
        ]

    def __str__(self) -> str:
        return f"{self.token_id}: {', '.join(self.permissions)}"
