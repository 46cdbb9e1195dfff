"""Reads of accounts: tokens by secret, namespaces and members by name."""

import hashlib

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from teams.errors import NotFound
from teams.models import AccessToken, Membership, Namespace, Organisation, User, sql
from teams.models.loading import Columns
from teams.models.token import MACHINE_MADE, SHUT_OUT

_TOKEN, _USER, _NAMESPACE = Columns(AccessToken, "t"), Columns(User, "u"), Columns(Namespace, "n")
_TOKENS = f"""
SELECT {_TOKEN}, {_USER}, {_NAMESPACE}, {SHUT_OUT}
FROM teams_accesstoken t
JOIN teams_user u ON u.id = t.user_id
JOIN teams_namespace n ON n.id = u.namespace_id
WHERE t."""


def token_by_secret(secret: str) -> AccessToken | None:
    """Find a token by its digest: a unique index look-up tells nothing by its timing."""
    return _token("digest", hashlib.sha256(secret.encode()).digest())


def token_by_key(key: int) -> AccessToken | None:
    """Find a token that was shown before, with its user; it may have ended since."""
    return _token("id", key)


def _token(column: str, value: object) -> AccessToken | None:
    row = sql.row(f"{_TOKENS}{column} = %s", [value])
    if row is None:
        return None
    values = iter(row)
    token = _TOKEN.load(values)
    token.user = _USER.load(values)
    token.user.namespace = _NAMESPACE.load(values)
    token.shut_out = frozenset(next(values))
    return token


def _namespace_in_lower_case(name: str) -> QuerySet[Namespace]:
    """Lower, not iexact, which compares in upper case: the unique index is in lower case."""
    return Namespace.objects.alias(lower=Lower("name")).filter(lower=name.lower())


def namespace_named(name: str) -> Namespace:
    """Find a namespace by name in any case.

    Raises:
        NotFound: nobody has that name.
    """
    found = _namespace_in_lower_case(name).exclude(kind=Namespace.Kind.RETIRED).first()
    if found is None:
        raise NotFound(f"There is no user or organisation called {name}.")
    return found


def user_named(name: str) -> User:
    """Find a user by name in any case.

    Raises:
        NotFound: no user has that name.
    """
    namespace = _namespace_in_lower_case(name)
    found = User.objects.select_related("namespace").filter(namespace__in=namespace).first()
    if found is None:
        raise NotFound(f"There is no user called {name}.")
    return found


def organisation_named(name: str) -> Organisation:
    """Find an organisation by name in any case.

    Raises:
        NotFound: no organisation has that name.
    """
    found = (
        Organisation.objects.select_related("namespace")
        .filter(namespace__in=_namespace_in_lower_case(name))
        .first()
    )
    if found is None:
        raise NotFound(f"There is no organisation called {name}.")
    return found


def memberships_of(user: User) -> QuerySet[Membership]:
    """The organisations of ``user`` with the role in each, by name."""
    return (
        Membership.objects.filter(user=user)
        .select_related("organisation", "organisation__namespace")
        .order_by("organisation__namespace__name")
    )


def members_of(organisation: Organisation) -> QuerySet[Membership]:
    """The members of ``organisation`` with their roles, by name."""
    return (
        Membership.objects.filter(organisation=organisation)
        .select_related("user", "user__namespace")
        .order_by("user__namespace__name")
    )


def live_tokens_of(user: User) -> QuerySet[AccessToken]:
    """The tokens of ``user`` that were not revoked, newest first.

    Of what the hub made for jobs and CI systems none that expired: each run leaves one.
    """
    over = Q(origin__in=MACHINE_MADE, expires_at__lte=timezone.now())
    found = AccessToken.objects.filter(user=user, revoked_at=None).exclude(over)
    return found.order_by("-created_at")


def live_token_of(user: User, token_id: int) -> AccessToken:
    """Find a token of ``user`` that was not revoked.

    Raises:
        NotFound: they have no such token.
    """
    found = live_tokens_of(user).filter(pk=token_id).first()
    if found is None:
        raise NotFound("You have no such token.")
    return found
