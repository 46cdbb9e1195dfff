"""REST: organisations, their members, invitations, teams, resource groups and grants."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from teams.errors import Forbidden, Invalid
from teams.http.origin import base_url
from teams.http.rest import RestView, described
from teams.models import Grant, Invitation, Membership, Organisation, ResourceGroup, Team
from teams.models.standing import Place
from teams.names import KINDS
from teams.policies import check_in
from teams.queries import organisation_named, user_named
from teams.queries.organisations import (
    grant_on,
    grants_on,
    group_of,
    groups_of,
    members_of_team,
    members_page,
    team_of,
    teams_of,
    waiting_invitations,
)
from teams.roles import Action, Role
from teams.services import grants, grouping, invitations, members, organisations
from teams.services.grants import GrantWish
from teams.services.organisations import SEATS

A_PAGE = 100
ROLES = [role.label for role in Role]
GRANTED = [role.label for role in Role if role >= Role.READ]
NO = OpenApiResponse(description="The caller may not.")


class NewOrganisationBody(serializers.Serializer[dict[str, Any]]):
    """What it is to be called."""

    name = serializers.CharField(max_length=96)


class OrganisationShape(serializers.Serializer[Organisation]):
    """An organisation."""

    name = serializers.CharField()
    fullname = serializers.CharField()
    about = serializers.CharField()
    website = serializers.CharField()


class MemberShape(serializers.Serializer[Membership]):
    """A member, and what they are."""

    user = serializers.CharField(source="user.name")
    seat = serializers.CharField(source="label")


class SeatBody(serializers.Serializer[dict[str, Any]]):
    """What a member is to be."""

    seat = serializers.ChoiceField(choices=list(SEATS))


class InvitationBody(serializers.Serializer[dict[str, Any]]):
    """Whom to invite, and as what."""

    role = serializers.ChoiceField(choices=ROLES)
    email = serializers.CharField(required=False, default="", allow_blank=True, max_length=254)


class InvitationShape(serializers.Serializer[Invitation]):
    """An invitation that waits."""

    id = serializers.IntegerField(source="pk")
    email = serializers.CharField()
    role = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField()

    def get_role(self, invitation: Invitation) -> str:
        return Role(invitation.role).label


class InvitedShape(InvitationShape):
    """A new invitation with its link, which is told this once."""

    link = serializers.CharField()
    is_mailed = serializers.BooleanField()


class NamedBody(serializers.Serializer[dict[str, Any]]):
    """A team or a resource group."""

    name = serializers.CharField(max_length=80)
    description = serializers.CharField(required=False, default="", allow_blank=True)


class TeamShape(serializers.Serializer[Team]):
    """A team."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    description = serializers.CharField()


class GroupShape(serializers.Serializer[ResourceGroup]):
    """A resource group."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    description = serializers.CharField()


class GrantBody(serializers.Serializer[dict[str, Any]]):
    """Who is to get which role: a user by name, or a team by number."""

    user = serializers.CharField(required=False)
    team = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    role = serializers.ChoiceField(choices=GRANTED)
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=KINDS), default=list(KINDS))
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class GrantShape(serializers.Serializer[Grant]):
    """A grant."""

    id = serializers.IntegerField(source="pk")
    user = serializers.CharField(source="user.name", default=None)
    team = serializers.IntegerField(source="team_id")
    role = serializers.SerializerMethodField()
    kinds = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()

    def get_role(self, grant: Grant) -> str:
        return Role(grant.role).label


def sent(request: Request, form: type["serializers.Serializer[Any]"]) -> dict[str, Any]:
    """Read a body by its serializer.

    Raises:
        ValidationError: it is not as described.
    """
    read = form(data=request.data)
    read.is_valid(raise_exception=True)
    values: dict[str, Any] = read.validated_data
    return values


class OfOrganisationRest(RestView):
    """Finds the organisation that the URL names and asks the rule."""

    organisation: Organisation

    def check(self, action: Action) -> None:
        self.organisation = organisation_named(self.kwargs["name"])
        check_in(self.principal, action, self.organisation)


class Organisations(RestView):
    """POST /api/v1/organizations."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="create_organisation",
        summary="Make an organisation that the caller owns",
        request=NewOrganisationBody,
        responses={201: OrganisationShape},
    )
    def post(self, request: Request) -> Response:
        user = self.principal.user
        if user is None or self.principal.scope is not None:
            raise Forbidden("No fine-grained token makes organisations.")
        values = sent(request, NewOrganisationBody)
        made = organisations.create(name=values["name"], owner=user, by=user)
        return Response(OrganisationShape(made).data, status=201)


class Members(OfOrganisationRest):
    """GET /api/v1/organizations/{name}/members."""

    authz = {"get": Action.ORG_SEE}

    @described(
        operation_id="list_members",
        summary="Members and what they are, by name; `after` goes on behind a name",
        responses={200: MemberShape(many=True), 403: NO},
    )
    def get(self, request: Request, **_: object) -> Response:
        after = request.query_params.get("after", "")
        found = members_page(self.organisation, after=after, limit=A_PAGE)
        return Response([MemberShape(one).data for one in found])


class OneMember(OfOrganisationRest):
    """PUT, DELETE /api/v1/organizations/{name}/members/{user}."""

    authz = {"put": Action.ORG_MANAGE, "delete": Action.ORG_MANAGE}

    @described(
        operation_id="seat_member",
        summary="Say what a member is",
        request=SeatBody,
        responses={200: MemberShape, 403: NO},
    )
    def put(self, request: Request, user: str, **_: object) -> Response:
        seat = SEATS[sent(request, SeatBody)["seat"]]
        found = user_named(user)
        changed = members.change(
            organisation=self.organisation, user=found, seat=seat, by=self.principal
        )
        return Response(MemberShape(changed).data)

    @described(operation_id="remove_member", summary="Take a member out", responses={204: None})
    def delete(self, _request: Request, user: str, **_: object) -> Response:
        members.remove(organisation=self.organisation, user=user_named(user), by=self.principal)
        return Response(status=204)


class Invitations(OfOrganisationRest):
    """GET, POST /api/v1/organizations/{name}/invitations."""

    authz = {"get": Action.ORG_MANAGE, "post": Action.ORG_MANAGE}

    @described(
        operation_id="list_invitations",
        summary="Invitations that wait, newest first",
        responses={200: InvitationShape(many=True), 403: NO},
    )
    def get(self, _request: Request, **_: object) -> Response:
        return Response(
            [InvitationShape(one).data for one in waiting_invitations(self.organisation)]
        )

    @described(
        operation_id="invite",
        summary="Make a link that lets somebody in once, and mail it if that is possible",
        request=InvitationBody,
        responses={201: InvitedShape, 403: NO},
    )
    def post(self, request: Request, **_: object) -> Response:
        values, origin = sent(request, InvitationBody), base_url(self.http_request)
        invited = invitations.invite(
            organisation=self.organisation,
            role=Role[values["role"].upper()],
            email=values["email"],
            by=self.principal,
            origin=origin,
        )
        told = {"link": f"{origin}{invited.path}", "is_mailed": invited.is_mailed}
        return Response(InvitationShape(invited.invitation).data | told, status=201)


class Teams(OfOrganisationRest):
    """GET, POST /api/v1/organizations/{name}/teams."""

    authz = {"get": Action.ORG_SEE, "post": Action.ORG_TEAMS}

    @described(operation_id="list_teams", summary="Teams", responses={200: TeamShape(many=True)})
    def get(self, _request: Request, **_: object) -> Response:
        return Response([TeamShape(one).data for one in teams_of(self.organisation)])

    @described(
        operation_id="create_team",
        summary="Make a team",
        request=NamedBody,
        responses={201: TeamShape, 403: NO},
    )
    def post(self, request: Request, **_: object) -> Response:
        values = sent(request, NamedBody)
        made = grouping.create_team(organisation=self.organisation, by=self.principal, **values)
        return Response(TeamShape(made).data, status=201)


class TeamMembers(OfOrganisationRest):
    """GET /api/v1/organizations/{name}/teams/{number}/members."""

    authz = {"get": Action.ORG_SEE}

    @described(
        operation_id="list_team_members",
        summary="Who is in a team",
        responses={200: MemberShape(many=True)},
    )
    def get(self, _request: Request, number: int, **_: object) -> Response:
        found = members_of_team(team_of(self.organisation, number))
        return Response([MemberShape(one).data for one in found])


class OneTeamMember(OfOrganisationRest):
    """PUT, DELETE /api/v1/organizations/{name}/teams/{number}/members/{user}."""

    authz = {"put": Action.ORG_TEAMS, "delete": Action.ORG_TEAMS}

    @described(operation_id="join_team", summary="Put a member into a team", responses={204: None})
    def put(self, _request: Request, number: int, user: str, **_: object) -> Response:
        team = team_of(self.organisation, number)
        grouping.join_team(team=team, user=user_named(user), by=self.principal)
        return Response(status=204)

    @described(operation_id="leave_team", summary="Take one out of a team", responses={204: None})
    def delete(self, _request: Request, number: int, user: str, **_: object) -> Response:
        team = team_of(self.organisation, number)
        grouping.leave_team(team=team, user=user_named(user), by=self.principal)
        return Response(status=204)


class Groups(OfOrganisationRest):
    """GET, POST /api/v1/organizations/{name}/resource-groups."""

    authz = {"get": Action.ORG_MANAGE, "post": Action.ORG_MANAGE}

    @described(
        operation_id="list_resource_groups",
        summary="Resource groups",
        responses={200: GroupShape(many=True), 403: NO},
    )
    def get(self, _request: Request, **_: object) -> Response:
        return Response([GroupShape(one).data for one in groups_of(self.organisation)])

    @described(
        operation_id="create_resource_group",
        summary="Make a resource group",
        request=NamedBody,
        responses={201: GroupShape, 403: NO},
    )
    def post(self, request: Request, **_: object) -> Response:
        values = sent(request, NamedBody)
        made = grouping.create_group(organisation=self.organisation, by=self.principal, **values)
        return Response(GroupShape(made).data, status=201)


class OfGroupRest(RestView):
    """Finds the resource group that the URL names, for its admins."""

    organisation: Organisation
    place: Place

    def check(self, action: Action) -> None:
        """Admins of a group manage it, whatever they are in the organisation."""
        self.organisation = organisation_named(self.kwargs["name"])
        self.place = Place(self.organisation.namespace_id, group_id=self.kwargs["number"])
        grants.check_can_grant(self.principal, self.place)
        group_of(self.organisation, self.kwargs["number"])


class GroupGrants(OfGroupRest):
    """GET, POST /api/v1/organizations/{name}/resource-groups/{number}/grants."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="list_group_grants",
        summary="Who has a role in a resource group",
        responses={200: GrantShape(many=True), 403: NO},
    )
    def get(self, _request: Request, **_: object) -> Response:
        return Response([GrantShape(one).data for one in grants_on(self.place)])

    @described(
        operation_id="give_group_grant",
        summary="Give a user or a team a role in a resource group",
        request=GrantBody,
        responses={201: GrantShape, 403: NO},
    )
    def post(self, request: Request, **_: object) -> Response:
        wish = wish_in(sent(request, GrantBody), self.organisation)
        given = grants.give(on=self.place, wish=wish, by=self.principal)
        return Response(GrantShape(given).data, status=201)


class OneGroupGrant(OfGroupRest):
    """DELETE /api/v1/organizations/{name}/resource-groups/{number}/grants/{grant}."""

    authz = {"delete": Action.SIGN_IN_TO_WRITE}

    @described(operation_id="take_group_grant", summary="Take it back", responses={204: None})
    def delete(self, _request: Request, grant: int, **_: object) -> Response:
        grants.take(grant=grant_on(self.place, grant), by=self.principal)
        return Response(status=204)


def wish_in(values: dict[str, Any], organisation: Organisation) -> GrantWish:
    """Read who is to get what.

    Raises:
        Invalid: it names both a user and a team, or neither.
        NotFound: there is no such user or team.
    """
    if ("user" in values) == ("team" in values):
        raise Invalid("Name a user or a team, one of the two.")
    by_user = "user" in values
    to = user_named(values["user"]) if by_user else team_of(organisation, values["team"])
    role = Role[values["role"].upper()]
    return GrantWish(to, role, values["kinds"], values["expires_at"])
