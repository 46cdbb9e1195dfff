"""Membership: who is in which organisation with which role."""

from django.db import models

from teams.models.organisation import Organisation
from teams.models.user import User
from teams.roles import Role


class Membership(models.Model):
    """One user's role in one organisation.

    A trigger of the database keeps at least one owner in every organisation.
    """

    class Source(models.TextChoices):
        """Who says that somebody is a member: only they should take it back."""

        INVITE = "invite"
        SSO = "sso"
        SCIM = "scim"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.SmallIntegerField(choices=[(role.value, role.label) for role in Role])
    is_owner = models.BooleanField(default=False)
    """An admin who also deletes the organisation and says who else owns it."""
    may_manage_teams = models.BooleanField(default=False)
    """Somebody who writes and also manages teams: a maintainer."""
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.INVITE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "organisation", name="one_role_per_member"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="role_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(is_owner=False) | models.Q(role=Role.ADMIN.value),
                name="an_owner_is_an_admin",
            ),
            models.CheckConstraint(
                condition=models.Q(may_manage_teams=False) | models.Q(role=Role.WRITE.value),
                name="a_maintainer_writes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}: {self.label}"

    @property
    def label(self) -> str:
        """What pages call the member: owner and maintainer are labels, not roles."""
        if self.is_owner:
            return "owner"
        return "maintainer" if self.may_manage_teams else Role(self.role).label
