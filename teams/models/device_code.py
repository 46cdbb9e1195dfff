"""DeviceCode: a terminal that waits to be let in from a browser (RFC 8628)."""

from django.db import models

from teams.models.user import User


class DeviceCode(models.Model):
    """One sign-in from a terminal; both its codes are kept as digests only."""

    device_digest = models.BinaryField(max_length=32, unique=True)
    """Of what the terminal holds."""
    user_digest = models.BinaryField(max_length=32, unique=True)
    """Of what a person types in; short, so it is keyed with the hub's secret."""
    client_id = models.CharField(max_length=64)
    told = models.CharField(max_length=200, blank=True)
    """What the terminal said of itself."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    interval = models.SmallIntegerField(default=5)
    """Seconds that the terminal must leave between two questions."""
    asked_at = models.DateTimeField(null=True)
    """When it asked last."""
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    """Who let it in."""
    denied_at = models.DateTimeField(null=True)
    spent_at = models.DateTimeField(null=True)
    """When it got its token: once."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None) | models.Q(denied_at=None),
                name="device_is_let_in_or_not",
            ),
        ]
        indexes = [models.Index("expires_at", name="device_code_by_end")]

    def __str__(self) -> str:
        return f"device {self.pk}"
