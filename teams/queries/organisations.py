"""Reads of one organisation: its members, teams, resource groups, grants and invitations."""

from django.db.models import Count, QuerySet
from django.utils import timezone

from teams.errors import NotFound
from teams.models import (
    Grant,
    Invitation,
    Membership,
    Organisation,
    Reach,
    ResourceGroup,
    Team,
    User,
)
from teams.models.standing import Place
from teams.policies import Principal
from teams.roles import Role


def member_of(organisation: Organisation, user: User) -> Membership:
    """Find the membership of ``user``.

    Raises:
        NotFound: they are no member.
    """
    rows = Membership.objects.select_related("user__namespace", "organisation__namespace")
    found = rows.filter(organisation=organisation, user=user).first()
    if found is None:
        raise NotFound(f"{user.name} is no member of {organisation.name}.")
    return found


def members_page(
    organisation: Organisation, *, search: str = "", after: str = "", limit: int
) -> list[Membership]:
    """So many members after a name, by name."""
    found = Membership.objects.filter(organisation=organisation)
    if search:
        found = found.filter(user__namespace__name__icontains=search)
    if after:
        found = found.filter(user__namespace__name__gt=after)
    named = found.select_related("user__namespace")
    return list(named.order_by("user__namespace__name")[:limit])


def teams_of(organisation: Organisation) -> QuerySet[Team]:
    """The teams with how many are in each (``size``), by name."""
    return (
        Team.objects.filter(organisation=organisation)
        .annotate(size=Count("member_rows"))
        .order_by("name")
    )


def team_of(organisation: Organisation, number: int) -> Team:
    """Find a team of an organisation.

    Raises:
        NotFound: it has no such team.
    """
    found = Team.objects.filter(organisation=organisation, pk=number).first()
    if found is None:
        raise NotFound(f"{organisation.name} has no such team.")
    found.organisation = organisation
    return found


def members_of_team(team: Team) -> list[Membership]:
    """Who is in a team, by name."""
    found = Membership.objects.filter(team_rows__team=team).select_related("user__namespace")
    return list(found.order_by("user__namespace__name"))


def members_without(team: Team) -> list[Membership]:
    """The members of the organisation whom the team lacks, by name."""
    found = Membership.objects.filter(organisation=team.organisation).exclude(team_rows__team=team)
    return list(found.select_related("user__namespace").order_by("user__namespace__name"))


def groups_of(organisation: Organisation) -> QuerySet[ResourceGroup]:
    """The resource groups, by name."""
    return ResourceGroup.objects.filter(namespace_id=organisation.namespace_id).order_by("name")


def groups_known_to(organisation: Organisation, reader: Principal) -> list[ResourceGroup]:
    """Those that ``reader`` has any role in; admins know all."""
    found = groups_of(organisation)
    if reader.role_in(organisation.namespace_id) == Role.ADMIN:
        return list(found)
    reached = Reach.objects.filter(user=reader.user).exclude(group=None).values("group")
    return list(found.filter(pk__in=reached))


def group_of(organisation: Organisation, number: int) -> ResourceGroup:
    """Find a resource group of an organisation.

    Raises:
        NotFound: it has no such group.
    """
    found = groups_of(organisation).filter(pk=number).first()
    if found is None:
        raise NotFound(f"{organisation.name} has no such resource group.")
    return found


def grants_on(place: Place) -> list[Grant]:
    """What was granted on exactly this, expired or not; teams first, then users, by age."""
    found = Grant.objects.filter(
        namespace_id=place.namespace_id,
        group_id=None if place.repo_id else place.group_id,
        repo_id=place.repo_id,
    )
    return list(found.select_related("team", "user__namespace").order_by("user_id", "pk"))


def grant_on(place: Place, number: int) -> Grant:
    """Find a grant on a place.

    Raises:
        NotFound: nothing of the kind was granted there.
    """
    for grant in grants_on(place):
        if grant.pk == number:
            return grant
    raise NotFound("There is no such grant here.")


def grants_to_team(team: Team) -> list[Grant]:
    """What a team was granted."""
    return list(team.grants.select_related("group").order_by("pk"))


def waiting_invitations(organisation: Organisation) -> list[Invitation]:
    """Those that can still be accepted, newest first."""
    found = Invitation.objects.filter(
        organisation=organisation, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return list(found.select_related("created_by__namespace").order_by("-pk"))
