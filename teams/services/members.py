"""Change what members of an organisation are, take them out, let them leave: asked by somebody."""

from django.db.models import Q

from teams.errors import Conflict, NotFound
from teams.models import Grant, Membership, Organisation, User
from teams.policies import Principal, check_in, check_signed_in
from teams.queries.organisations import member_of
from teams.roles import Action, Role
from teams.services import audit, organisations
from teams.services.audit import Target
from teams.services.organisations import Seat, owner_stays


def change(*, organisation: Organisation, user: User, seat: Seat, by: Principal) -> Membership:
    """Make a member what ``seat`` says. Only owners make owners, and only they unmake them.

    Raises:
        Forbidden: ``by`` is no admin, or no owner where it takes one.
        NotFound: the user is no member.
        Conflict: the organisation would have no owner.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    member = member_of(organisation, user)
    if seat.is_owner or member.is_owner:
        check_in(by, Action.ORG_OWN, organisation)
    return organisations.seat(organisation=organisation, user=user, seat=seat, by=by.user)


def remove(*, organisation: Organisation, user: User, by: Principal) -> None:
    """Take somebody out, with their places in teams and all that they were granted there.

    Raises:
        Forbidden: ``by`` is no admin, or no owner where it takes one.
        NotFound: the user is no member.
        Conflict: the organisation would have no owner.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    if member_of(organisation, user).is_owner:
        check_in(by, Action.ORG_OWN, organisation)
    take_out(organisation=organisation, user=user, by=by.user)


def leave(*, organisation: Organisation, by: Principal) -> None:
    """Let a member go of their own will.

    Raises:
        NotFound: they are no member.
        Conflict: they are the last owner.
    """
    check_signed_in(by, Action.SIGN_IN_TO_WRITE)
    if by.user is None:
        raise NotFound
    take_out(organisation=organisation, user=by.user, by=by.user, action="org.leave")


def take_out(
    *, organisation: Organisation, user: User, by: User | None, action: str = "org.remove_user"
) -> None:
    """End a membership and all that came with it; nobody is asked, as by an identity provider.

    Raises:
        NotFound: the user is no member.
        Conflict: the organisation would have no owner.
    """
    namespace = organisation.namespace
    with owner_stays():
        member = member_of(organisation, user)
        details = {"role": member.label}
        member.delete()
        Grant.objects.filter(user=user, namespace=namespace).delete()
        target = Target("user", user.name, user.pk)
        audit.record(action, by=by, namespace=namespace, target=target, details=details)


def check_none_is_left_ownerless(user: User) -> None:
    """Refuse while an organisation would lose its only owner with ``user``.

    Raises:
        Conflict: tells which.
    """
    others = Q(memberships__is_owner=True) & ~Q(memberships__user=user)
    owned = Organisation.objects.filter(memberships__user=user, memberships__is_owner=True)
    safe = Organisation.objects.filter(others).values("pk")
    left = owned.exclude(pk__in=safe).select_related("namespace")
    names = ", ".join(sorted(organisation.name for organisation in left))
    if names:
        raise Conflict(f"{user.name} is the only owner of {names}: make somebody else one first.")


def role_named(label: str) -> Role:
    """Read a role by its label.

    Raises:
        NotFound: there is none of that name.
    """
    for role in Role:
        if role.label == label:
            return role
    raise NotFound(f"There is no role called {label!r}.")
