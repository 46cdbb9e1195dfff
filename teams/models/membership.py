"""Membership: who is in which organisation with which role."""

from django.db import models

from teams.models.organisation import Organisation
from teams.models.user import User
from teams.roles import Role


class Membership(models.Model):
    """One user's role in one organisation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.SmallIntegerField(choices=[(role.value, role.label) for role in Role])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "organisation", name="one_role_per_member"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}: {Role(self.role).label}"
