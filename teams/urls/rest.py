"""REST routes of teams."""

from django.urls import path

from teams.rest import audit

urlpatterns = [
    path("api/v1/audit-log", audit.InstanceLog.as_view()),
    path("api/v1/namespaces/<str:name>/audit-log", audit.NamespaceLog.as_view()),
]
