"""Let people in by their organisation's identity provider: who they are here, and as what.

A provider speaks for its own organisation. It makes accounts and signs these in; of an account that
was there before it says no more than that its owner came by, so nobody who holds a provider can
take over an account.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone

from teams.errors import Conflict, Forbidden, Invalid, Unauthenticated
from teams.models import IdentityProvider, Membership, SsoIdentity, Team, TeamMember, User
from teams.names import check_name
from teams.roles import Role
from teams.services import accounts
from teams.services.audit import Target, record
from teams.services.organisations import Seat, seat

_MOST_TRIES = 50
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of somebody who came by."""

    subject: str
    name: str = ""
    username: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()


class SignInFirst(Unauthenticated):
    """Sign in to your account here first, then come by your organisation's page once more."""


@transaction.atomic
def come_by(*, provider: IdentityProvider, claims: Claims, present: User | None) -> User:
    """Answer who somebody is whom ``provider`` vouches for; give them role and teams anew.

    ``present`` is who the browser is signed in as. An unknown subject becomes theirs if they are a
    member; else an account is made.

    Raises:
        Forbidden: no group of theirs is let in, their account is switched off, or it is another's.
        SignInFirst: the account is older than the provider's word, and its owner is not signed in.
    """
    role = _role(provider, claims.groups)
    if role is None:
        raise Forbidden("Your organisation lets none of your groups in. Ask its admins.")
    identity = _identity(provider, claims, present)
    user = identity.user
    if not user.is_active:
        raise Forbidden("This account is switched off.")
    if not identity.is_managed and (present is None or present.pk != user.pk):
        raise SignInFirst
    identity.fresh_until = timezone.now() + timedelta(hours=provider.session_hours)
    identity.save(update_fields=["fresh_until"])
    member = _seat(provider, user, role)
    _teams(provider, member, set(claims.groups))
    record(
        "sso.sign_in",
        by=user,
        namespace=provider.organisation.namespace,
        target=Target("user", user.name, user.pk),
        details={"subject": claims.subject, "role": role.label, "groups": list(claims.groups)},
    )
    return user


def lapse(*, user: User, provider: IdentityProvider) -> None:
    """Want a fresh sign-in of somebody, whatever time they had left."""
    rows = SsoIdentity.objects.filter(organisation=provider.organisation, user=user)
    rows.update(fresh_until=timezone.now())


def _role(provider: IdentityProvider, groups: Iterable[str]) -> Role | None:
    named = {role.label: role for role in Role}
    found = [named[provider.roles[group]] for group in groups if provider.roles.get(group) in named]
    default = None if provider.default_role is None else Role(provider.default_role)
    return max(found) if found else default


def _identity(provider: IdentityProvider, claims: Claims, present: User | None) -> SsoIdentity:
    organisation = provider.organisation
    known = SsoIdentity.objects.select_related("user__namespace").filter(organisation=organisation)
    if found := known.filter(issuer=provider.issuer, subject=claims.subject).first():
        return found
    is_member = present is not None and organisation.memberships.filter(user=present).exists()
    if is_member and known.filter(user=present, issuer=provider.issuer).exists():
        raise Forbidden("Your account belongs to somebody else at the identity provider.")
    user = present if is_member and present is not None else _new_account(claims)
    details = {
        "issuer": provider.issuer,
        "subject": claims.subject,
        "made_account": not is_member,
    }
    target = Target("user", user.name, user.pk)
    record("sso.link", by=user, namespace=organisation.namespace, target=target, details=details)
    # Who was known to a provider before this one is so no more; nor does this one sign them in:
    # it made no account.
    identity, _is_new = known.update_or_create(
        organisation=organisation,
        user=user,
        defaults={
            "issuer": provider.issuer,
            "subject": claims.subject,
            "is_managed": not is_member,
            "fresh_until": timezone.now(),
        },
    )
    return identity


def _new_account(claims: Claims) -> User:
    """A name that is free, as near as can be to the one at the provider."""
    wanted = claims.username or claims.email.partition("@")[0] or claims.name
    base = _NOT_IN_NAMES.sub("-", wanted.partition("@")[0]).strip("-._")[:80] or "user"
    for number in range(1, _MOST_TRIES):
        name = base if number == 1 else f"{base}-{number}"
        try:
            check_name(name)
            with transaction.atomic():
                user = accounts.create_user(name=name, by=None)
        except (Conflict, Invalid):
            continue
        user.fullname = claims.name[:150] or name
        user.save(update_fields=["fullname"])
        return user
    raise Conflict(f"All names like {base} are taken. Ask the admins of the hub.")


def _seat(provider: IdentityProvider, user: User, role: Role) -> Membership:
    organisation = provider.organisation
    present = Membership.objects.filter(organisation=organisation, user=user).first()
    if present is not None and (present.is_owner or present.role == role.value):
        # Owners stay what they are: they are let in when the provider is broken.
        return present
    source = Membership.Source.SSO
    return seat(organisation=organisation, user=user, seat=Seat(role), by=user, source=source)


def _teams(provider: IdentityProvider, member: Membership, groups: set[str]) -> None:
    """In the teams that the provider's groups stand for, and in no other of those."""
    wanted = {name.lower() for group, name in provider.teams.items() if group in groups}
    ours = Team.objects.filter(organisation=provider.organisation, source=Team.Source.HERE)
    named = {name.lower() for name in provider.teams.values()}
    for team in ours.alias(lower=Lower("name")).filter(lower__in=named):
        is_in = TeamMember.objects.filter(team=team, membership=member)
        if (team.name.lower() in wanted) == is_in.exists():
            continue
        action = "team.add_user" if team.name.lower() in wanted else "team.remove_user"
        if action == "team.add_user":
            TeamMember.objects.create(team=team, membership=member)
        else:
            is_in.delete()
        record(
            action,
            by=None,
            namespace=provider.organisation.namespace,
            target=Target("team", team.name, team.pk),
            details={"user": member.user.name, "source": "sso"},
        )
