"""REST routes of hub, and the description of the whole API."""

from django.urls import path

from hub.rest import (
    discussions,
    jobs,
    notifications,
    promotions,
    publishers,
    ref_rules,
    schema,
    search,
    security,
    statuses,
)

REPO = "api/v1/repos/<kind:kind>/<repo:name>"
PROMOTION = f"{REPO}/promotions/<int:number>"

urlpatterns = [
    path("api/v1/openapi.json", schema.Schema.as_view()),
    path("api/v1/search", search.Search.as_view()),
    path("api/v1/notifications", notifications.Notifications.as_view()),
    path("api/v1/jobs", jobs.Jobs.as_view()),
    path("api/v1/jobs/<text:job>", jobs.SomeJob.as_view()),
    path("api/v1/jobs/<text:job>/events", jobs.EventsOfJob.as_view()),
    path("api/v1/jobs/<text:job>/cancel", jobs.CancelJob.as_view()),
    path(f"{REPO}/jobs", jobs.JobsOfRepo.as_view()),
    path(f"{REPO}/statuses/<text:revision>", statuses.Statuses.as_view()),
    path("api/v1/namespaces/<text:name>/scan-policy", security.NamespacePolicy.as_view()),
    path(f"{REPO}/security", security.Security.as_view()),
    path(f"{REPO}/security/scans", security.Scans.as_view()),
    path(f"{REPO}/security/released/<text:key>", security.Released.as_view()),
    path(f"{REPO}/ref-rules", ref_rules.RefRules.as_view()),
    path(f"{REPO}/ref-rules/<int:number>", ref_rules.OneRefRule.as_view()),
    path(f"{REPO}/trusted-publishers", publishers.Publishers.as_view()),
    path(f"{REPO}/trusted-publishers/<int:number>", publishers.OnePublisher.as_view()),
    path(f"{REPO}/promotions", promotions.Promotions.as_view()),
    path(f"{PROMOTION}/approve", promotions.Approve.as_view()),
    path(f"{PROMOTION}/refuse", promotions.Refuse.as_view()),
    path(f"{REPO}/pull-requests/<int:number>/approvals", promotions.Approvals.as_view()),
    path(f"{REPO}/discussions", discussions.Discussions.as_view()),
    path(f"{REPO}/discussions/<int:number>", discussions.OneDiscussion.as_view()),
    path(f"{REPO}/discussions/<int:number>/comments", discussions.Comments.as_view()),
    path(f"{REPO}/discussions/<int:number>/merge", discussions.Merge.as_view()),
]
