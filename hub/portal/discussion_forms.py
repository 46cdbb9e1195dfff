"""Forms of discussions."""

from django import forms

from hub.models.discussion import MAX_TITLE
from hub.services.comment_text import MAX_COMMENT
from teams.http.forms import ServiceForm

MARKDOWN = "Markdown. @name tells somebody, paths lead to files of this repo."


class NewDiscussionForm(ServiceForm):
    """What is to be talked about."""

    title = forms.CharField(max_length=MAX_TITLE)
    text = forms.CharField(
        label="Description",
        max_length=MAX_COMMENT,
        required=False,
        widget=forms.Textarea({"rows": 8}),
        help_text=MARKDOWN,
    )


class CommentForm(ServiceForm):
    """What somebody says; a browser lets it be empty, for who closes or merges may be silent."""

    use_required_attribute = False

    text = forms.CharField(
        label="Comment",
        max_length=MAX_COMMENT,
        widget=forms.Textarea({"rows": 5}),
        help_text=MARKDOWN,
    )


class TitleForm(ServiceForm):
    """Another title."""

    title = forms.CharField(max_length=MAX_TITLE)
