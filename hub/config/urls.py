"""The map of every mount: health, wire, REST, portal, in the order in which they are tried."""

from django.urls import include, path

urlpatterns = [
    path("", include("hub.urls.health")),
    path("", include("teams.urls.wire")),
    path("", include("hub.urls.git")),
    path("", include("hub.urls.lfs")),
    path("", include("hub.urls.xet")),
    path("", include("hub.urls.webhooks")),
    path("", include("hub.urls.discussions")),
    path("", include("hub.urls.collections")),
    path("", include("hub.urls.follows")),
    path("", include("hub.urls.wire")),
    path("", include("datasets_app.urls.wire")),
    path("", include("inference.urls.wire")),
    path("", include("inference.urls.rest")),
    path("", include("hub.urls.rest")),
    path("", include("teams.urls.rest")),
    path("", include("teams.urls.portal")),
    path("", include("inference.urls.portal")),
    path("", include("datasets_app.urls.portal")),
    path("", include("hub.urls.portal")),
]

handler404 = "teams.http.last_resort.not_found"
handler500 = "teams.http.last_resort.broken"
