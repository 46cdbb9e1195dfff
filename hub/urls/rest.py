"""REST routes of hub, and the description of the whole API."""

from django.urls import path

from hub.rest import schema, search

urlpatterns = [
    path("api/v1/openapi.json", schema.Schema.as_view()),
    path("api/v1/search", search.Search.as_view()),
]
