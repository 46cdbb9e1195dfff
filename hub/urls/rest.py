"""REST routes of hub, and the description of the whole API."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from hub.rest import search

urlpatterns = [
    path("api/v1/openapi.json", SpectacularJSONAPIView.as_view()),
    path("api/v1/search", search.Search.as_view()),
]
