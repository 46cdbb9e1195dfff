"""Attachment: a picture, film or sound that comments show, and which comments do."""

from django.db import models
from django.db.models.functions import Now

from hub.models.blob import Blob
from hub.models.discussion import DiscussionEvent
from teams.models import User


class Attachment(models.Model):
    """Uploaded before it is shown; until a comment shows it, it is its uploader's alone."""

    key = models.CharField(max_length=32, unique=True)
    """Its name in URLs, which nobody guesses."""
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    media_type = models.CharField(max_length=32)
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index("uploaded_by", "created_at", name="attachment_by_uploader")]

    def __str__(self) -> str:
        return self.key


class AttachmentUse(models.Model):
    """A comment shows an attachment: whoever may read the one may see the other."""

    attachment = models.ForeignKey(Attachment, on_delete=models.CASCADE, related_name="uses")
    comment = models.ForeignKey(
        DiscussionEvent, on_delete=models.CASCADE, related_name="attachment_uses"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "attachment", "comment", name="one_use_per_attachment_and_comment"
            ),
        ]

    def __str__(self) -> str:
        return f"attachment {self.attachment_id} in comment {self.comment_id}"
