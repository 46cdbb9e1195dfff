"""AccessToken: hashed secret, role, last use."""

from django.db import models
from django.utils import timezone

from teams.models.user import User


class AccessToken(models.Model):
    """A secret that programs show instead of a password. Only its SHA-256 is stored."""

    class TokenRole(models.TextChoices):
        READ = "read"
        WRITE = "write"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=8, choices=TokenRole.choices)
    digest = models.BinaryField(max_length=32, unique=True)
    last4 = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["read", "write"]), name="token_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.last4})"

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired, and its owner may sign in."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired and self.user.is_active
