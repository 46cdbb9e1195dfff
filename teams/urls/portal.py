"""HTML routes of teams."""

from django.urls import path

from teams.portal import audit, device, settings, sign_in

urlpatterns = [
    path("login", sign_in.SignIn.as_view()),
    path("login/link/<str:name>/<str:token>", sign_in.SignInByLink.as_view()),
    path("logout", sign_in.SignOut.as_view()),
    path("oauth/device/confirm", device.Confirm.as_view()),
    path("settings/tokens", settings.Tokens.as_view()),
    path("settings/tokens/<int:token_id>/revoke", settings.RevokeToken.as_view()),
    path("settings/password", settings.Password.as_view()),
    path("settings/audit", audit.OwnLog.as_view()),
    path("settings/instance/audit", audit.InstanceLog.as_view()),
    path("orgs/<str:name>/settings/audit", audit.OrganisationLog.as_view()),
    path("settings/theme", settings.Theme.as_view()),
]
