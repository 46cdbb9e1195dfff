"""TrustedPublisher, SpentIdToken: CI systems that publish without a secret of ours."""

from django.db import models
from django.db.models.functions import Now

from hub.models.repo import Repo
from teams.models import User

MAX_ISSUER = 255


class TrustedPublisher(models.Model):
    """Jobs of a CI system that may write to a repo: those whose identity token says so."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="publishers")
    issuer = models.CharField(max_length=MAX_ISSUER)
    """Who signs the identity tokens, as their claim ``iss`` has it."""
    claims = models.JSONField()
    """What a token must claim beside that: names and exact values."""
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    """As whom its jobs act: they may never do more than this user may at that moment."""
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "issuer", "claims", name="one_publisher_per_claims"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} {self.claims}"


class SpentIdToken(models.Model):
    """An identity token that was exchanged: it is good for that once."""

    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(db_index=True)
    """From then on its own date refuses it."""

    def __str__(self) -> str:
        return bytes(self.digest).hex()
