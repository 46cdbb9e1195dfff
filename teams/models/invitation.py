"""Invitation: a link that makes somebody a member, once."""

from django.db import models

from teams.models.organisation import Organisation
from teams.models.user import User
from teams.roles import Role


class Invitation(models.Model):
    """Whoever has the link, and the address if it names one, may join. Only a digest is stored."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="invitations"
    )
    email = models.EmailField(blank=True)
    """Empty: for whoever has the link."""
    role = models.SmallIntegerField(choices=[(role.value, role.label) for role in Role])
    digest = models.BinaryField(max_length=32, unique=True)
    """SHA-256 of the secret in the link."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]),
                name="invitation_role_is_known",
            ),
        ]
        indexes = [
            models.Index(
                "organisation",
                "id",
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'whoever has the link'} to {self.organisation}"
