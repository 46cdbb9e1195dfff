"""Wire routes of collections."""

from django.urls import path

from hub.wire import collections

ONE = "api/collections/<text:owner>/<text:slug>"

urlpatterns = [
    path("api/collections", collections.Collections.as_view()),
    path(f"{ONE}/items", collections.Items.as_view()),
    path(f"{ONE}/items/<text:item>", collections.OneItem.as_view()),
    path(f"{ONE}/upvote", collections.Vote.as_view()),
    path(ONE, collections.OneCollection.as_view()),
]
