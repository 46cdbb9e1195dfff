"""Wire routes of follows and profiles."""

from django.urls import path

from hub.wire import follows

urlpatterns = [
    path("api/users/<str:name>/overview", follows.UserOverview.as_view()),
    path("api/users/<str:name>/follow", follows.FollowOne.as_view(), {"kind": "users"}),
    path("api/users/<str:name>/followers", follows.Followers.as_view(), {"kind": "users"}),
    path("api/users/<str:name>/following", follows.Following.as_view()),
    path("api/organizations/<str:name>/overview", follows.OrganisationOverview.as_view()),
    path("api/organizations/<str:name>/follow", follows.FollowOne.as_view(), {"kind": "orgs"}),
    path("api/organizations/<str:name>/followers", follows.Followers.as_view(), {"kind": "orgs"}),
]
