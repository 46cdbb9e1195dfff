"""Reads of single sign-on."""

from django.db.models.functions import Lower

from teams.models import IdentityProvider, SsoIdentity, User


def provider_of(organisation: str) -> IdentityProvider | None:
    """Find the identity provider of the organisation of this name, in any case."""
    named = IdentityProvider.objects.alias(lower=Lower("organisation__namespace__name"))
    return (
        named.select_related("organisation__namespace").filter(lower=organisation.lower()).first()
    )


def identity_of(provider: IdentityProvider, user: User) -> SsoIdentity | None:
    """Who a user is at a provider, if they ever came by it."""
    return SsoIdentity.objects.filter(organisation=provider.organisation, user=user).first()
