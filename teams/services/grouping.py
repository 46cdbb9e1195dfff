"""Make, change and end teams and resource groups, and say who is in a team."""

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from teams.errors import Conflict, Invalid
from teams.models import Organisation, ResourceGroup, Team, TeamMember, User
from teams.models.grant import MAX_DESCRIPTION, MAX_TITLE
from teams.names import one_line
from teams.policies import Principal, check_in
from teams.queries.organisations import member_of
from teams.roles import Action
from teams.services import audit
from teams.services.audit import Target

MOST_TEAMS = 500
MOST_GROUPS = 500
"""Of one organisation."""


def create_team(
    *, organisation: Organisation, name: str, by: Principal, description: str = ""
) -> Team:
    """Begin a team without members.

    Raises:
        Forbidden: ``by`` may not manage teams there.
        Invalid: the name cannot be shown.
        Conflict: there is one of that name, or there are too many.
    """
    check_in(by, Action.ORG_TEAMS, organisation)
    if organisation.teams.count() >= MOST_TEAMS:
        raise Conflict(f"An organisation has at most {MOST_TEAMS} teams.")
    name = one_line(name, "The name of a team", most=MAX_TITLE)
    try:
        with transaction.atomic():
            team = Team.objects.create(
                organisation=organisation, name=name, description=_checked(description)
            )
            _note("team.create", organisation, _team(team), by)
    except IntegrityError:
        raise Conflict(f"There is a team called {name} already.") from None
    return team


def delete_team(*, team: Team, by: Principal) -> None:
    """End a team and what it was granted.

    Raises:
        Forbidden: ``by`` may not manage teams there.
        Conflict: an identity provider manages it.
    """
    _check_ours(team, by)
    with transaction.atomic():
        _note("team.delete", team.organisation, _team(team), by)
        team.delete()


def join_team(*, team: Team, user: User, by: Principal) -> None:
    """Put a member of the organisation into a team; twice is as once.

    Raises:
        Forbidden: ``by`` may not manage teams there.
        NotFound: the user is no member of the organisation.
        Conflict: an identity provider says who is in it.
    """
    _check_ours(team, by)
    with transaction.atomic():
        _member, is_new = TeamMember.objects.get_or_create(
            team=team, membership=member_of(team.organisation, user)
        )
        if is_new:
            details = {"user": user.name}
            _note("team.add_user", team.organisation, _team(team), by, details)


def leave_team(*, team: Team, user: User, by: Principal) -> None:
    """Take somebody out of a team.

    Raises:
        Forbidden: ``by`` may not manage teams there.
        Conflict: an identity provider says who is in it.
    """
    _check_ours(team, by)
    with transaction.atomic():
        gone, _of = TeamMember.objects.filter(team=team, membership__user=user).delete()
        if gone:
            details = {"user": user.name}
            _note("team.remove_user", team.organisation, _team(team), by, details)


def _check_ours(team: Team, by: Principal) -> None:
    check_in(by, Action.ORG_TEAMS, team.organisation)
    if team.source == Team.Source.SCIM:
        raise Conflict("The organisation's identity provider manages this team.")


def create_group(
    *, organisation: Organisation, name: str, by: Principal, description: str = ""
) -> ResourceGroup:
    """Begin a resource group without repos.

    Raises:
        Forbidden: ``by`` is no admin of the organisation.
        Invalid: the name cannot be shown.
        Conflict: there is one of that name, or there are too many.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    if ResourceGroup.objects.filter(namespace=organisation.namespace).count() >= MOST_GROUPS:
        raise Conflict(f"An organisation has at most {MOST_GROUPS} resource groups.")
    name = one_line(name, "The name of a resource group", most=MAX_TITLE)
    try:
        with transaction.atomic():
            group = ResourceGroup.objects.create(
                namespace=organisation.namespace, name=name, description=_checked(description)
            )
            _note("resource_group.create", organisation, _group(group), by)
    except IntegrityError:
        raise Conflict(f"There is a resource group called {name} already.") from None
    return group


def delete_group(*, organisation: Organisation, group: ResourceGroup, by: Principal) -> None:
    """End a resource group that holds no repo any more, and what was granted on it.

    Raises:
        Forbidden: ``by`` is no admin of the organisation.
        Conflict: it holds repos, which more people would see without it.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    try:
        with transaction.atomic():
            _note("resource_group.delete", organisation, _group(group), by)
            group.delete()
    except ProtectedError:
        raise Conflict("It still holds repos. Take them out first.") from None


def _checked(description: str) -> str:
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(f"The description must have at most {MAX_DESCRIPTION} characters.")
    return description.strip()


def _team(team: Team) -> Target:
    return Target("team", team.name, team.pk)


def _group(group: ResourceGroup) -> Target:
    return Target("resource_group", group.name, group.pk)


def _note(
    action: str,
    organisation: Organisation,
    target: Target,
    by: Principal,
    details: dict[str, str] | None = None,
) -> None:
    audit.record(
        action, by=by.user, namespace=organisation.namespace, target=target, details=details
    )
