"""Forms of discussions."""

import re
from collections.abc import Sequence
from typing import TypeAlias

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils import timezone

from hub.models.discussion import MAX_TITLE
from hub.queries.attachments import address_of
from hub.services import attachments
from hub.services.comment_text import MAX_COMMENT
from hub.storage.media import EXTENSIONS
from teams.errors import TooLarge
from teams.http.forms import ServiceForm
from teams.policies import Principal

MARKDOWN = "Markdown. @name tells somebody, #1 leads to a discussion, paths to files of this repo."


MOST_FILES = 10
_SHOWS = "Pictures and sounds of up to 10 MB, films of up to 50 MB; the comment shows them."
_OF_MARKDOWN = re.compile(r"[\[\]()<>`!*_\\\s]+")


Uploaded: TypeAlias = "UploadedFile[bytes]"


class _Files(forms.FileInput):
    allow_multiple_selected = True


def attach_field() -> forms.FileField:
    """Files that a comment is to show below what it says."""
    widget = _Files({"multiple": True, "accept": ",".join(EXTENSIONS)})
    return forms.FileField(label="Attach", required=False, widget=widget, help_text=_SHOWS)


def files_of(request: HttpRequest) -> Sequence[Uploaded]:
    """The files that a form came with."""
    return request.FILES.getlist("attached")


def with_files(text: str, files: Sequence[Uploaded], by: Principal) -> str:
    """Take files in, and answer ``text`` with what shows them.

    Raises:
        Invalid, Forbidden: as :func:`hub.services.attachments.upload`.
        TooLarge: there are too many, or one is too large.
    """
    if len(files) > MOST_FILES:
        raise TooLarge(f"At most {MOST_FILES} files can be attached at once.")
    for file in files:
        most = attachments.most_of(file.content_type or "")
        if (file.size or 0) > most:
            raise TooLarge(f"{file.name} is larger than {most // 10**6} MB.")
    return "\n\n".join(filter(None, [text.rstrip(), *(_taken(file, by) for file in files)]))


def _taken(file: Uploaded, by: Principal) -> str:
    media_type = file.content_type or ""
    made = attachments.upload(
        media_type=media_type, pieces=file.chunks(), by=by, now=timezone.now()
    )
    name = _OF_MARKDOWN.sub(" ", file.name or "").strip()
    shows = f"![{name}]({{}})" if media_type.startswith("image/") else "{}"
    return shows.format(address_of(made))


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
    attached = attach_field()


class CommentForm(ServiceForm):
    """What somebody says; a browser lets it be empty, for who closes or merges may be silent."""

    use_required_attribute = False

    text = forms.CharField(
        label="Comment",
        max_length=MAX_COMMENT,
        widget=forms.Textarea({"rows": 5}),
        help_text=MARKDOWN,
    )
    attached = attach_field()


class TitleForm(ServiceForm):
    """Another title."""

    title = forms.CharField(max_length=MAX_TITLE)
