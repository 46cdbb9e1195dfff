"""IdentityProvider: by whom an organisation lets people in; SsoIdentity: who they are there."""

from django.db import models

from teams.models.organisation import Organisation
from teams.models.user import User
from teams.roles import Role


class IdentityProvider(models.Model):
    """An OpenID Connect provider of one organisation."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.CASCADE, related_name="identity_provider"
    )
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=255)
    sealed_secret = models.BinaryField()
    is_enabled = models.BooleanField(default=True)
    is_enforced = models.BooleanField(default=False)
    """Whether members who did not sign in by it lately are let in; owners always are."""
    groups_claim = models.CharField(max_length=100, default="groups")
    roles = models.JSONField(default=dict)
    """Group to label of a role; of several the strongest counts."""
    teams = models.JSONField(default=dict)
    """Group to name of a team."""
    default_role = models.SmallIntegerField(
        choices=[(role.value, role.label) for role in Role], null=True
    )
    """Of who is in no group that has a role; None: they are not let in."""
    session_hours = models.IntegerField(default=168)
    """How long somebody who signed in by it is let in."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(session_hours__gte=1), name="sso_session_lasts"
            ),
            models.CheckConstraint(
                condition=models.Q(is_enforced=False) | models.Q(is_enabled=True),
                name="what_is_enforced_is_enabled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} of {self.organisation}"


class SsoIdentity(models.Model):
    """Who a user is at the identity provider of an organisation."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="sso_identities"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sso_identities")
    issuer = models.CharField(max_length=500, default="", db_default="")
    """Who said so: a subject means nobody at another provider (OpenID Connect Core 1.0, 5.7)."""
    subject = models.CharField(max_length=255)
    is_managed = models.BooleanField(default=False)
    """The provider made the account and signs it in; of others it only says that they came by."""
    fresh_until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organisation", "issuer", "subject", name="one_user_per_subject_of_an_issuer"
            ),
            models.UniqueConstraint("organisation", "user", name="one_sso_subject_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.organisation}"
