"""Wire routes of teams."""

from django.urls import path

from teams.wire import device, identity

urlpatterns = [
    path("oauth/device", device.Device.as_view()),
    path("api/whoami-v2", identity.WhoAmI.as_view()),
    path("api/organizations/<str:name>/members", identity.Members.as_view()),
]
