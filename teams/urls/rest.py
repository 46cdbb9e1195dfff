"""REST routes of teams."""

from django.urls import path

from teams.rest import audit, organisations

ORGANISATION = "api/v1/organizations/<str:name>"
TEAM = f"{ORGANISATION}/teams/<int:number>"
GROUP = f"{ORGANISATION}/resource-groups/<int:number>"

urlpatterns = [
    path("api/v1/organizations", organisations.Organisations.as_view()),
    path(f"{ORGANISATION}/members", organisations.Members.as_view()),
    path(f"{ORGANISATION}/members/<str:user>", organisations.OneMember.as_view()),
    path(f"{ORGANISATION}/invitations", organisations.Invitations.as_view()),
    path(f"{ORGANISATION}/teams", organisations.Teams.as_view()),
    path(f"{TEAM}/members", organisations.TeamMembers.as_view()),
    path(f"{TEAM}/members/<str:user>", organisations.OneTeamMember.as_view()),
    path(f"{ORGANISATION}/resource-groups", organisations.Groups.as_view()),
    path(f"{GROUP}/grants", organisations.GroupGrants.as_view()),
    path(f"{GROUP}/grants/<int:grant>", organisations.OneGroupGrant.as_view()),
    path("api/v1/audit-log", audit.InstanceLog.as_view()),
    path("api/v1/namespaces/<str:name>/audit-log", audit.NamespaceLog.as_view()),
]
