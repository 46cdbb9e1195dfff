"""HTML routes of teams."""

from django.urls import path

from teams.portal import (
    audit,
    device,
    members,
    organisation_teams,
    organisations,
    settings,
    sign_in,
    sso,
    tokens,
)

urlpatterns = [
    path("login", sign_in.SignIn.as_view()),
    path("login/link/<str:name>/<str:token>", sign_in.SignInByLink.as_view()),
    path("logout", sign_in.SignOut.as_view()),
    path("oauth/device/confirm", device.Confirm.as_view()),
    path("settings/tokens", tokens.Tokens.as_view()),
    path("settings/tokens/fine-grained", tokens.NewFineToken.as_view()),
    path("settings/tokens/<int:token_id>/revoke", tokens.RevokeToken.as_view()),
    path("join/<str:secret>", members.Join.as_view()),
    path("settings/profile", organisations.YourProfile.as_view()),
    path("settings/organizations", organisations.YourOrganisations.as_view()),
    path("orgs/new", organisations.NewOrganisation.as_view()),
    path("orgs/<str:name>/settings/profile", organisations.OrganisationProfile.as_view()),
    path("orgs/<str:name>/settings/members", members.Members.as_view()),
    path("orgs/<str:name>/settings/teams", organisation_teams.Teams.as_view()),
    path("orgs/<str:name>/settings/teams/<int:number>", organisation_teams.OneTeam.as_view()),
    path("orgs/<str:name>/settings/tokens", tokens.OrganisationTokens.as_view()),
    path("settings/password", settings.Password.as_view()),
    path("settings/audit", audit.OwnLog.as_view()),
    path("settings/instance/audit", audit.InstanceLog.as_view()),
    path("orgs/<str:name>/sso", sso.Start.as_view()),
    # allauth builds the address to come back to from this name.
    path(
        "orgs/<str:provider_id>/sso/callback",
        sso.Callback.as_view(),
        name="openid_connect_callback",
    ),
    path("orgs/<str:name>/settings/sso", sso.Settings.as_view()),
    path("orgs/<str:name>/settings/audit", audit.OrganisationLog.as_view()),
    path("settings/theme", settings.Theme.as_view()),
]
