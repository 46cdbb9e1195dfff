"""Wire routes of discussions and pull requests."""

from django.urls import path

from hub.urls.converters import API
from hub.wire import attachments, discussions, reactions

ALL = f"{API}/discussions"
ONE = f"{ALL}/<text:num>"

urlpatterns = [
    path("uploads", attachments.Attachments.as_view()),
    path("uploads/<text:file>", attachments.OneAttachment.as_view()),
    path(ALL, discussions.Discussions.as_view()),
    path(ONE, discussions.OneDiscussion.as_view()),
    path(f"{ONE}/comment", discussions.Comment.as_view()),
    path(f"{ONE}/title", discussions.Title.as_view()),
    path(f"{ONE}/status", discussions.Status.as_view()),
    path(f"{ONE}/pin", reactions.Pin.as_view()),
    path(f"{ONE}/merge", discussions.Merge.as_view()),
    path(f"{ONE}/comment/<text:comment>/edit", discussions.EditComment.as_view()),
    path(f"{ONE}/comment/<text:comment>/hide", discussions.HideComment.as_view()),
    path(f"{ONE}/comment/<text:comment>/reaction", reactions.ReactToComment.as_view()),
]
