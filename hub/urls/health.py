"""Routes of the health checks; they stand before all others."""

from django.urls import path

from hub.portal.health import Alive, Ready

urlpatterns = [
    path("healthz", Alive.as_view()),
    path("readyz", Ready.as_view()),
]
