"""HTML routes of hub; a name of somebody may stand where no other route matched."""

from django.urls import URLPattern, URLResolver, path

from hub.portal import (
    access,
    closing,
    collections,
    comments,
    discussions,
    files,
    follows,
    grants,
    history,
    home,
    jobs,
    lists,
    notifications,
    protection,
    publishers,
    repos,
    security,
    settings,
    webhooks,
)
from hub.urls.converters import of_every_kind

pages_of_discussions: list[URLPattern | URLResolver] = [
    path("<repo:name>/discussions", discussions.Discussions.as_view()),
    path("<repo:name>/discussions/new", discussions.NewDiscussion.as_view()),
    path("<repo:name>/discussions/<text:num>", discussions.OneDiscussion.as_view()),
    path("<repo:name>/discussions/<text:num>/files", discussions.ProposedFiles.as_view()),
    path(
        "<repo:name>/discussions/<text:num>/comment/<text:comment>/reaction",
        comments.ReactToComment.as_view(),
    ),
    path(
        "<repo:name>/discussions/<text:num>/comment/<text:comment>",
        comments.EditComment.as_view(),
    ),
]

pages_of_a_repo: list[URLPattern | URLResolver] = [
    path("<repo:name>/tree/<text:revision>", files.Folder.as_view()),
    path("<repo:name>/tree/<text:revision>/<rest:path>", files.Folder.as_view()),
    path("<repo:name>/blob/<text:revision>/<rest:path>", files.File.as_view()),
    path("<repo:name>/commits/<text:revision>", history.Commits.as_view()),
    path("<repo:name>/commits/<text:revision>/<rest:path>", history.Commits.as_view()),
    path("<repo:name>/commit/<text:oid>", history.OneCommit.as_view()),
    path("<repo:name>/rules", protection.Rules.as_view()),
    path("<repo:name>/publishers", publishers.Publishers.as_view()),
    path("<repo:name>/promotions", protection.Promotions.as_view()),
    path("<repo:name>/ask-access", access.AskAccess.as_view()),
    path("<repo:name>/access-requests", access.Review.as_view()),
    path("<repo:name>/access-requests.csv", access.Export.as_view()),
    path("<repo:name>/security", security.Security.as_view()),
    path("<repo:name>/access", grants.RepoAccess.as_view()),
    path("<repo:name>/settings", settings.Settings.as_view()),
    *pages_of_discussions,
    path("<repo:name>/like", repos.LikeRepo.as_view()),
    path("<repo:name>", repos.CardPage.as_view()),
]

urlpatterns = [
    path("", home.Home.as_view()),
    path("<kind:kind>", lists.Repos.as_view()),
    path("search", lists.Search.as_view()),
    path("collections", collections.Collections.as_view()),
    path("collections/new", collections.NewCollection.as_view()),
    path("collections/<text:owner>/<text:slug>", collections.OneCollection.as_view()),
    path("jobs", jobs.Jobs.as_view()),
    path("jobs/<text:job>", jobs.OneJob.as_view()),
    path("notifications", notifications.Notifications.as_view()),
    path("notifications/activity", follows.Activity.as_view()),
    path("settings/follows", follows.Follows.as_view()),
    path("settings/gated-repos", access.OwnRequests.as_view()),
    path("settings/webhooks", webhooks.Webhooks.as_view()),
    path("settings/webhooks/<text:webhook>", webhooks.OneWebhook.as_view()),
    path(
        "settings/webhooks/<text:webhook>/deliveries/<text:delivery>",
        webhooks.OneDelivery.as_view(),
    ),
    path("settings/account/close", closing.CloseAccount.as_view()),
    path("orgs/<str:name>/settings/close", closing.CloseOrganisation.as_view()),
    path("orgs/<str:name>/settings/resource-groups", grants.Groups.as_view()),
    path("orgs/<str:name>/settings/resource-groups/<int:number>", grants.OneGroup.as_view()),
    path("new", repos.NewRepo.as_view()),
    *of_every_kind(pages_of_a_repo),
    path("<text:name>", home.Profile.as_view()),
]
