"""HTML routes of teams."""

from django.urls import path

from teams.portal import audit, device, settings, sign_in, tokens

urlpatterns = [
    path("login", sign_in.SignIn.as_view()),
    path("login/link/<str:name>/<str:token>", sign_in.SignInByLink.as_view()),
    path("logout", sign_in.SignOut.as_view()),
    path("oauth/device/confirm", device.Confirm.as_view()),
    path("settings/tokens", tokens.Tokens.as_view()),
    path("settings/tokens/fine-grained", tokens.NewFineToken.as_view()),
    path("settings/tokens/<int:token_id>/revoke", tokens.RevokeToken.as_view()),
    path("orgs/<str:name>/settings/tokens", tokens.OrganisationTokens.as_view()),
    path("settings/password", settings.Password.as_view()),
    path("settings/audit", audit.OwnLog.as_view()),
    path("settings/instance/audit", audit.InstanceLog.as_view()),
    path("orgs/<str:name>/settings/audit", audit.OrganisationLog.as_view()),
    path("settings/theme", settings.Theme.as_view()),
]
