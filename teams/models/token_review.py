"""TokenPolicy, TokenReview: which tokens of its members an organisation takes."""

from django.db import models

from teams.models.organisation import Organisation
from teams.models.token import AccessToken
from teams.models.user import User


class TokenPolicy(models.Model):
    """The rule of one organisation; without a row it takes every token of a member."""

    class Takes(models.TextChoices):
        ANY = "any", "Any token of a member"
        FINE_GRAINED = "fine", "Only fine-grained tokens"
        APPROVED = "approved", "Only fine-grained tokens that an admin approved"

    organisation = models.OneToOneField(
        Organisation, primary_key=True, on_delete=models.CASCADE, related_name="token_policy"
    )
    takes = models.CharField(max_length=8, choices=Takes.choices, default=Takes.ANY)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(takes__in=["any", "fine", "approved"]),
                name="token_policy_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.takes}"


class TokenReview(models.Model):
    """An admin's word on one token; where there is none, the token waits."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="token_reviews"
    )
    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="reviews")
    approved = models.BooleanField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", "token", name="one_review_per_token"),
        ]

    def __str__(self) -> str:
        return f"{self.token_id}: {'approved' if self.approved else 'denied'}"
