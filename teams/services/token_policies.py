"""Say which tokens of its members an organisation takes, and give one's word on one."""

from django.db import transaction

from teams.errors import Invalid
from teams.models import AccessToken, Organisation, TokenPolicy, TokenReview
from teams.policies import Principal, check_in
from teams.queries.token_policies import policy_of
from teams.roles import Action
from teams.services.audit import Target, record


def set_policy(*, organisation: Organisation, takes: str, by: Principal) -> None:
    """Take any token, only fine-grained ones, or only approved ones; it holds at once.

    Raises:
        Invalid: there is no such rule.
        Forbidden: ``by`` is no admin.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    if takes not in TokenPolicy.Takes.values:
        raise Invalid(f"takes must be one of {', '.join(TokenPolicy.Takes.values)}.")
    old = policy_of(organisation)
    with transaction.atomic():
        TokenPolicy.objects.update_or_create(organisation=organisation, defaults={"takes": takes})
        record(
            "org.token_policy",
            by=by.user,
            namespace=organisation.namespace_id,
            target=Target("org", organisation.name, organisation.namespace_id),
            details={"takes": {"old": old, "new": takes}},
        )


def review(
    *, organisation: Organisation, token: AccessToken, approved: bool, by: Principal
) -> None:
    """Let a token reach the organisation, or not any more.

    Raises:
        Forbidden: ``by`` is no admin.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    with transaction.atomic():
        TokenReview.objects.update_or_create(
            organisation=organisation,
            token=token,
            defaults={"approved": approved, "by": by.user},
        )
        record(
            "org.token_approval.approved" if approved else "org.token_approval.denied",
            by=by.user,
            namespace=organisation.namespace_id,
            target=Target("token", token.name, token.pk),
            details={"user": token.user.name, "last4": token.last4},
        )
