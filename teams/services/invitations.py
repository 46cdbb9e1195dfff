"""Invite people into an organisation by a link, which may be mailed, and let them accept it.

The secret is in the link alone; we keep its digest. A link works once, for a week.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from teams.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from teams.models import Invitation, Mail, Membership, Organisation
from teams.policies import Principal, check_in, check_signed_in
from teams.queries.organisations import waiting_invitations
from teams.roles import Action, Role
from teams.services import audit, mail, organisations
from teams.services.audit import Target
from teams.services.organisations import Seat

LASTS = timedelta(days=7)
MOST_WAITING = 200
"""Of one organisation."""
MOST_MAILED = 200
"""By one user in a day: nobody is to send letters to the world through us."""
MOST_TO_ONE = 5
"""Letters to one address in a day, whoever wants them sent."""
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with the path that accepts it, which is known this once."""

    invitation: Invitation
    path: str
    is_mailed: bool


def invite(
    *, organisation: Organisation, role: Role, by: Principal, email: str = "", origin: str = ""
) -> Invited:
    """Make a link that lets somebody in with ``role``; mail it if there is an address and a mailer.

    ``origin`` is where this hub is reached: a mail needs a whole link.

    Raises:
        Forbidden: ``by`` is no admin, or no owner where the link makes admins.
        Invalid: the address is none.
        Conflict: too many invitations wait already.
        TooMany: too many letters went out today, to that address or for ``by``.
    """
    _check_may_invite(organisation, role, by)
    email = _address(email)
    _check_letters(email, by)
    if len(waiting_invitations(organisation)) >= MOST_WAITING:
        raise Conflict(f"{MOST_WAITING} invitations wait already. Revoke some first.")
    invitation = Invitation(organisation=organisation, email=email, role=role.value)
    invitation.created_by = by.user
    return _send(invitation, by, origin, "org.invite_user")


def renew(*, invitation: Invitation, by: Principal, origin: str = "") -> Invited:
    """Make a new link in place of the old one, which ends, and mail it as the first.

    Raises:
        Forbidden: as :func:`invite`.
        NotFound: it was accepted or revoked meanwhile.
        TooMany: as :func:`invite`.
    """
    _check_may_invite(invitation.organisation, Role(invitation.role), by)
    _check_letters(invitation.email, by)
    with transaction.atomic():
        locked = Invitation.objects.select_for_update().filter(
            pk=invitation.pk, accepted_at=None, revoked_at=None
        )
        if not locked.exists():
            raise NotFound("This invitation is over.")
        return _send(invitation, by, origin, "org.renew_invitation")


def _check_may_invite(organisation: Organisation, role: Role, by: Principal) -> None:
    check_in(by, Action.ORG_OWN if role == Role.ADMIN else Action.ORG_MANAGE, organisation)


def _address(email: str) -> str:
    email = email.strip()
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("That is no e-mail address.") from None
    return email


def _check_letters(email: str, by: Principal) -> None:
    if not (email and mail.is_configured()):
        return
    yesterday = timezone.now() - timedelta(days=1)
    if Mail.objects.filter(to=email, created_at__gt=yesterday).count() >= MOST_TO_ONE:
        raise TooMany(f"{MOST_TO_ONE} letters a day are the most for one address. Try tomorrow.")
    invited = Invitation.objects.filter(created_by=by.user, created_at__gt=yesterday)
    if invited.exclude(email="").count() >= MOST_MAILED:
        raise TooMany(f"You may mail {MOST_MAILED} invitations a day. Give people their links.")


def _send(invitation: Invitation, by: Principal, origin: str, action: str) -> Invited:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    invitation.digest = _digest(secret)
    invitation.expires_at = timezone.now() + LASTS
    path = f"/join/{secret}"
    organisation = invitation.organisation
    with transaction.atomic():
        invitation.save()
        is_mailed = bool(invitation.email) and mail.write(
            to=invitation.email,
            subject=f"Join {organisation.name}",
            text=_LETTER.format(
                by=by.user.name if by.user else "Somebody",
                organisation=organisation.name,
                link=f"{origin}{path}",
                days=LASTS.days,
            ),
        )
        details = {"role": Role(invitation.role).label, "is_mailed": is_mailed}
        audit.record(
            action,
            by=by.user,
            namespace=organisation.namespace,
            target=Target("invitation", invitation.email, invitation.pk),
            details=details,
        )
    return Invited(invitation, path, is_mailed)


_LETTER = """{by} invites you to join the organisation {organisation}.

Open this link to see what you would join, and to accept:

{link}

It works once, within {days} days. If you did not expect it, you may forget it.
"""


def revoke(*, invitation: Invitation, by: Principal) -> None:
    """End a link that nobody used yet; twice is as once.

    Raises:
        Forbidden: ``by`` is no admin.
    """
    organisation = invitation.organisation
    check_in(by, Action.ORG_MANAGE, organisation)
    with transaction.atomic():
        ended = Invitation.objects.filter(
            pk=invitation.pk, accepted_at=None, revoked_at=None
        ).update(revoked_at=timezone.now())
        if ended:
            target = Target("invitation", invitation.email, invitation.pk)
            namespace = organisation.namespace
            audit.record("org.revoke_invitation", by=by.user, namespace=namespace, target=target)


def invitation_by(secret: str) -> Invitation:
    """Find what a link leads to.

    Raises:
        NotFound: it is spent, revoked, too old or forged; nobody is told which.
    """
    found = (
        Invitation.objects.select_related("organisation__namespace", "created_by__namespace")
        .filter(digest=_digest(secret), accepted_at=None, revoked_at=None)
        .filter(expires_at__gt=timezone.now())
        .first()
    )
    if found is None:
        raise NotFound("This invitation is over: it was used or taken back, or it is too old.")
    return found


@transaction.atomic
def accept(*, secret: str, by: Principal) -> Membership:
    """Make the caller a member, and spend the link. Nobody loses a stronger role by it.

    Raises:
        NotFound: the link is over.
        Unauthenticated: nobody is signed in.
        Forbidden: it was sent to another address, or the credential may change nothing.
    """
    if by.user is None:
        raise Unauthenticated("Sign in to accept the invitation.")
    invitation = invitation_by(secret)
    check_signed_in(by, Action.SIGN_IN_TO_WRITE)
    check_address(invitation, by)
    # Of two requests with one link the second finds it spent.
    spent = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
        accepted_at=timezone.now(), accepted_by=by.user
    )
    if not spent:
        raise NotFound("This invitation is over: it was used or taken back, or it is too old.")
    organisation, role = invitation.organisation, Role(invitation.role)
    there = Membership.objects.filter(organisation=organisation, user=by.user).first()
    if there is not None and there.role >= role:
        return there
    return organisations.seat(organisation=organisation, user=by.user, seat=Seat(role), by=by.user)


def check_address(invitation: Invitation, by: Principal) -> None:
    """Refuse somebody whom the letter was not for.

    Raises:
        Forbidden: tells enough of the address for its owner to know it, and nobody else.
    """
    mine = by.user.email if by.user else ""
    if invitation.email and invitation.email.casefold() != mine.casefold():
        raise Forbidden(
            f"This invitation was sent to {veiled(invitation.email)}, which is not the address of "
            "your account. Sign in as whom it was meant for, or change the address in your profile."
        )


def veiled(email: str) -> str:
    """An address of which only its owner sees which it is."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}…@{host[:1]}…{host[host.rfind('.') :]}"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
