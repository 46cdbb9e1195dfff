"""Give roles on repos, resource groups and organisations to users and teams, and take them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from teams.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from teams.models import Grant, Namespace, ResourceGroup, Team, User
from teams.models.standing import Place
from teams.names import KINDS
from teams.policies import Facts, Principal, decide
from teams.roles import Action, Role
from teams.services import audit
from teams.services.audit import Target

MOST_GRANTS = 2000
"""On one thing."""


@dataclass(frozen=True, slots=True)
class GrantWish:
    """Who is to get what, and for how long."""

    to: User | Team
    role: Role
    kinds: Sequence[str] = KINDS
    expires_at: datetime | None = None


def give(*, on: Place, wish: GrantWish, by: Principal) -> Grant:
    """Give somebody a role on a place, in place of one that they were given there before.

    Raises:
        NotFound: ``by`` may not know of the place, or it is gone.
        Forbidden: ``by`` is no admin of it.
        Invalid: such a grant cannot be.
        Conflict: too many have one there.
    """
    check_can_grant(by, on)
    _check(on, wish)
    subject = {"team": wish.to} if isinstance(wish.to, Team) else {"user": wish.to}
    where = {"namespace_id": on.namespace_id, "group_id": on.group_id, "repo_id": on.repo_id}
    if on.repo_id is not None:
        where["group_id"] = None
    if Grant.objects.filter(**where).count() >= MOST_GRANTS:
        raise Conflict(f"At most {MOST_GRANTS} users and teams are granted a role on one thing.")
    values = {
        "role": wish.role.value,
        "kinds": sorted(set(wish.kinds)),
        "expires_at": wish.expires_at,
        "created_by": by.user,
    }
    try:
        with transaction.atomic():
            grant, _is_new = Grant.objects.update_or_create(
                **subject, **where, defaults=values, create_defaults=values
            )
            _note("grant.give", grant, by, {"role": wish.role.label})
    except IntegrityError:
        raise NotFound("What it is about is gone.") from None
    return grant


def take(*, grant: Grant, by: Principal, on: Place | None = None) -> None:
    """Take a grant back. Who has one on themselves may give it up.

    ``on`` is its place, if the caller knows more of it than the grant: the group of a repo.

    Raises:
        NotFound: ``by`` may not know of the place.
        Forbidden: ``by`` is no admin of it.
    """
    is_own = by.user is not None and grant.user_id == by.user.pk and by.may_change
    if not is_own:
        check_can_grant(by, on or place_of(grant))
    with transaction.atomic():
        _note("grant.take", grant, by, {})
        grant.delete()


def place_of(grant: Grant) -> Place:
    """What a grant is on; of a repo, its group is not asked."""
    return Place(grant.namespace_id, "", grant.group_id, grant.repo_id)


def check_can_grant(by: Principal, on: Place) -> None:
    """Refuse unless ``by`` is an admin of the place.

    Raises:
        NotFound: ``by`` may not know of it.
        Unauthenticated: nobody is signed in.
        Forbidden: ``by`` may know of it, and no more.
    """
    if by.is_anonymous:
        raise Unauthenticated("You must sign in or send an access token.")
    facts = Facts(
        role=by.role_on(on),
        granted=by.granted_on(on.namespace_id, on.repo_id),
        is_shut=by.is_shut_out_of(on.namespace_id),
    )
    decision = decide(by, Action.ORG_MANAGE, facts)
    if decision.hidden:
        raise NotFound("There is nothing here that you could give a role on.")
    if not decision.allowed:
        raise Forbidden("Only admins say who has a role here.")


def _check(on: Place, wish: GrantWish) -> None:
    if wish.role < Role.READ:
        raise Invalid("A grant gives something: read, contributor, write or admin.")
    if not wish.kinds or not set(wish.kinds) <= set(KINDS):
        raise Invalid(f"kinds must be some of {', '.join(KINDS)}.")
    if wish.expires_at is not None and wish.expires_at <= timezone.now():
        raise Invalid("It would have expired already.")
    if isinstance(wish.to, Team):
        if wish.to.organisation.namespace_id != on.namespace_id:
            raise Invalid("That is a team of another organisation.")
    elif not wish.to.is_active:
        raise Invalid("That account is closed.")
    if on.group_id is None and on.repo_id is None:
        _check_on_all(wish)


def _check_on_all(wish: GrantWish) -> None:
    """In all of an organisation a user has a role as its member."""
    if not isinstance(wish.to, Team):
        raise Invalid("In all of an organisation users have their role as members.")
    if wish.role > Role.WRITE:
        raise Invalid("Admins of an organisation are members, not teams.")


def _note(action: str, grant: Grant, by: Principal, details: dict[str, str]) -> None:
    namespace = Namespace.objects.get(pk=grant.namespace_id)
    to = (
        {"team": grant.team.name} if grant.team else {"user": grant.user.name if grant.user else ""}
    )
    audit.record(
        action,
        by=by.user,
        namespace=namespace,
        target=_target(grant, namespace),
        details=to | details,
    )


def _target(grant: Grant, namespace: Namespace) -> Target:
    if grant.repo_id is not None:
        return Target("repo", "", grant.repo_id)
    if grant.group_id is not None:
        group = ResourceGroup.objects.get(pk=grant.group_id)
        return Target("resource_group", group.name, group.pk)
    return Target("org", namespace.name, namespace.pk)
