"""Say by which identity provider an organisation signs its members in."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import transaction

from teams.errors import Invalid
from teams.models import IdentityProvider, Organisation
from teams.policies import Principal, check_in
from teams.roles import Action, Role
from teams.services.audit import record

MAX_HOURS = 24 * 90
_MOST_GROUPS = 200
_LONGEST = 255
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class ProviderWish:
    """What an admin says of the organisation's identity provider."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    """Empty leaves it as it is."""
    is_enabled: bool = True
    is_enforced: bool = False
    groups_claim: str = "groups"
    roles: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    default_role: Role | None = None
    session_hours: int = 168


@transaction.atomic
def configure(*, organisation: Organisation, wish: ProviderWish, by: Principal) -> IdentityProvider:
    """Set up the identity provider of an organisation, or change it.

    Raises:
        Forbidden: ``by`` is no admin.
        Invalid: a part of ``wish`` cannot be.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    _check(wish)
    present = IdentityProvider.objects.filter(organisation=organisation).first()
    if present is None and not wish.secret:
        raise Invalid("The client's secret is missing.")
    provider = present or IdentityProvider(organisation=organisation)
    before = _told(provider) if present else {}
    if wish.secret:
        provider.sealed_secret = _safe().encrypt(wish.secret.encode())
    provider.issuer = wish.issuer.rstrip("/")
    provider.client_id = wish.client_id
    provider.is_enabled = wish.is_enabled
    provider.is_enforced = wish.is_enforced
    provider.groups_claim = wish.groups_claim
    provider.roles, provider.teams = dict(wish.roles), dict(wish.teams)
    provider.default_role = None if wish.default_role is None else wish.default_role.value
    provider.session_hours = wish.session_hours
    provider.save()
    after = _told(provider)
    changes = {k: {"old": before.get(k), "new": v} for k, v in after.items() if before.get(k) != v}
    namespace = organisation.namespace
    details = {**changes, "secret_changed": bool(wish.secret)}
    record("org.settings.sso", by=by.user, namespace=namespace, details=details)
    return provider


@transaction.atomic
def remove(*, organisation: Organisation, by: Principal) -> None:
    """Let nobody in by the identity provider any more; accounts and memberships stay.

    Raises:
        Forbidden: ``by`` is no admin.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    deleted, _rows = IdentityProvider.objects.filter(organisation=organisation).delete()
    if deleted:
        record("org.settings.sso_remove", by=by.user, namespace=organisation.namespace)


def secret_of(provider: IdentityProvider) -> str:
    """Answer the secret by which we are known to the provider."""
    return _safe().decrypt(bytes(provider.sealed_secret)).decode()


def is_allowed(url: str) -> bool:
    """Say whether the operator lets identity providers be asked at this address."""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return safe and parts.netloc.rpartition("@")[2] == parts.netloc and _named(parts.netloc)


def _named(netloc: str) -> bool:
    """With its port, if it is not the usual one."""
    return netloc.lower().removesuffix(":443") in settings.SSO_HOSTS


def _check(wish: ProviderWish) -> None:
    if not is_allowed(wish.issuer) or len(wish.issuer) > _LONGEST:
        raise Invalid(
            "This hub asks no identity provider there. Its operator lists their hosts in "
            "WEIGHHOUSE_SSO_HOSTS, and the address begins with https://."
        )
    if not 0 < len(wish.client_id) <= _LONGEST:
        raise Invalid("The client id is missing, or too long.")
    if not 1 <= wish.session_hours <= MAX_HOURS:
        raise Invalid(f"A sign-in lasts 1 to {MAX_HOURS} hours.")
    if wish.is_enforced and not wish.is_enabled:
        raise Invalid("What nobody can use cannot be asked of everybody: switch it on as well.")
    if max(len(wish.roles), len(wish.teams)) > _MOST_GROUPS:
        raise Invalid(f"At most {_MOST_GROUPS} groups can be named.")
    labels = {role.label for role in Role}
    unknown = sorted(set(wish.roles.values()) - labels)
    if unknown:
        raise Invalid(f"There is no role called {unknown[0]!r}: use one of {', '.join(labels)}.")


def _told(provider: IdentityProvider) -> dict[str, object]:
    names = ("issuer", "client_id", "is_enabled", "is_enforced", "groups_claim", "session_hours")
    told: dict[str, object] = {name: getattr(provider, name) for name in names}
    return told | {
        "roles": provider.roles,
        "teams": provider.teams,
        "default": provider.default_role,
    }


@cache
def _safe() -> MultiFernet:
    keys = [hashlib.sha256(b"single sign-on:" + key.encode()).digest() for key in settings.SSO_KEYS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
