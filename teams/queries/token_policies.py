"""Which tokens of its members an organisation takes, and which wait for a word on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from teams.errors import NotFound
from teams.models import AccessToken, Organisation, Reach, TokenPolicy, TokenReview
from teams.models.token import MACHINE_MADE

MOST = 500


def policy_of(organisation: Organisation) -> str:
    """What the organisation takes; any token if nobody said otherwise."""
    found = TokenPolicy.objects.filter(organisation=organisation).values_list("takes", flat=True)
    return found.first() or TokenPolicy.Takes.ANY


@dataclass(frozen=True, slots=True)
class ReviewedToken:
    """A token that reaches an organisation, and what was said of it."""

    token: AccessToken
    state: str
    """``pending``, ``approved`` or ``denied``."""


def reviewed_tokens(organisation: Organisation) -> Sequence[ReviewedToken]:
    """The live fine-grained tokens of members that reach the organisation, newest first."""
    found = list(_reaching(organisation).order_by("-pk")[:MOST])
    said = dict(
        TokenReview.objects.filter(organisation=organisation, token__in=found).values_list(
            "token_id", "approved"
        )
    )
    words = {True: "approved", False: "denied", None: "pending"}
    return [ReviewedToken(token, words[said.get(token.pk)]) for token in found]


def token_to_review(organisation: Organisation, text: str) -> AccessToken:
    """Find one of them by its number.

    Raises:
        NotFound: there is none.
    """
    key = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004 - digits of a bigint
    found = _reaching(organisation).filter(pk=key).first()
    if found is None:
        raise NotFound("No such token reaches the organisation.")
    return found


def _reaching(organisation: Organisation) -> QuerySet[AccessToken]:
    """What a token names, or all of it where it names everything; jobs' and CI's need no word.

    Whoever is nobody there may name what is public, and is no business of the organisation.
    """
    members = organisation.memberships.values("user_id")
    reached = Reach.objects.filter(namespace=organisation.namespace_id).values("user_id")
    known = Q(user__in=members) | Q(user__in=reached)
    named = known & Q(scopes__namespace=organisation.namespace_id)
    everywhere = Q(scopes__namespace=None, scopes__isnull=False, user__in=members)
    now = timezone.now()
    return (
        AccessToken.objects.filter(
            named | everywhere, role=AccessToken.TokenRole.FINE_GRAINED, revoked_at=None
        )
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .exclude(origin__in=MACHINE_MADE)
        .select_related("user__namespace")
        .distinct()
    )
