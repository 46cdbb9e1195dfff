"""Discussion, what happened in it, what its comments said before, and who is named in them.

A pull request is a discussion with a ref of its own, ``refs/pr/{num}``. All rows of a repo change
under the row lock of the repo, as its refs do.
"""

from django.db import models
from django.db.models.functions import Now

from hub.git.refs import PULL_REQUESTS
from hub.models.repo import Repo
from teams.models import User
from teams.names import public_id

MAX_TITLE = 200


class Discussion(models.Model):
    """A conversation about a repo, or a change that somebody proposes to it."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        CLOSED = "closed"
        MERGED = "merged"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="discussions")
    num = models.IntegerField()
    """Counts discussions and pull requests of the repo together, from 1."""
    title = models.CharField(max_length=MAX_TITLE)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    is_pull_request = models.BooleanField(default=False)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    target = models.CharField(max_length=255, blank=True)
    """Of a pull request: the whole name of the branch that it is to change."""
    base = models.BinaryField(max_length=20, null=True)
    """What the change is compared with: where it began; once merged, where the two met."""
    head = models.BinaryField(max_length=20, null=True)
    """The last commit of the pull request."""
    merge_commit = models.BinaryField(max_length=20, null=True)
    is_pinned = models.BooleanField(default=False, db_default=False)
    """Stands above the others on the page that lists them."""
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    n_comments: int = 0
    """How many comments it has; filled in by whoever lists it."""

    class Meta:
        constraints = [
            models.UniqueConstraint("repo", "num", name="one_discussion_per_repo_and_num"),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "closed"])
                | models.Q(status__in=["draft", "merged"], is_pull_request=True),
                name="discussion_status_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(is_pull_request=False, target="", head=None)
                | (models.Q(is_pull_request=True, head__isnull=False) & ~models.Q(target="")),
                name="pull_request_has_target_and_head",
            ),
            models.CheckConstraint(
                condition=models.Q(status="merged") ^ models.Q(merge_commit=None),
                name="merged_has_a_commit",
            ),
        ]
        indexes = [
            models.Index("author", "repo", name="discussion_by_author"),
            models.Index(fields=["repo", "-is_pinned", "-num"], name="discussion_pinned_first"),
        ]

    def __str__(self) -> str:
        return f"{self.repo}#{self.num}"

    @property
    def ref(self) -> str:
        """The ref of a pull request; commits and pushes to it change what is proposed."""
        return f"{PULL_REQUESTS}{self.num}"

    @property
    def is_ongoing(self) -> bool:
        return self.status in {self.Status.DRAFT, self.Status.OPEN}

    @property
    def url(self) -> str:
        return f"{self.repo.url}/discussions/{self.num}"


class DiscussionEvent(models.Model):
    """Something that happened in a discussion: a comment, another title or status, a commit."""

    class Kind(models.TextChoices):
        COMMENT = "comment"
        STATUS = "status-change"
        TITLE = "title-change"
        COMMIT = "commit"

    discussion = models.ForeignKey(Discussion, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    details = models.JSONField(default=dict)
    """``status``; ``from`` and ``to``; ``subject`` and ``oid``; of a comment nothing."""
    text = models.TextField(blank=True)
    """The Markdown of a comment."""
    html = models.TextField(blank=True)
    """The same, rendered when it was written: hostile text costs time once."""
    edited_at = models.DateTimeField(null=True)
    edited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    is_hidden = models.BooleanField(default=False)
    """Hidden for good: its text is gone."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["comment", "status-change", "title-change", "commit"]),
                name="discussion_event_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="comment") | models.Q(text="", html="", is_hidden=False),
                name="only_comments_have_text",
            ),
            models.CheckConstraint(
                condition=models.Q(is_hidden=False) | models.Q(text="", html=""),
                name="hidden_comment_has_no_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in discussion {self.discussion_id}"

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.pk)


class CommentVersion(models.Model):
    """What a comment said before it was edited."""

    comment = models.ForeignKey(DiscussionEvent, on_delete=models.CASCADE, related_name="versions")
    text = models.TextField()
    html = models.TextField()
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"comment {self.comment_id} of {self.written_at}"


class Mention(models.Model):
    """A comment names a user, who may want to know."""

    comment = models.ForeignKey(DiscussionEvent, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [
            models.UniqueConstraint("comment", "user", name="one_mention_per_comment_and_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in comment {self.comment_id}"


class Reaction(models.Model):
    """What somebody makes of a comment, in one sign."""

    class Sign(models.TextChoices):
        UP = "👍"
        DOWN = "👎"
        HEART = "❤️"
        PARTY = "🎉"
        FIRE = "🔥"
        ROCKET = "🚀"
        EYES = "👀"
        HUG = "🤗"
        LAUGH = "😄"
        SAD = "😔"

    comment = models.ForeignKey(DiscussionEvent, on_delete=models.CASCADE, related_name="reactions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    sign = models.CharField(max_length=8, choices=Sign.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "comment", "user", "sign", name="one_reaction_per_comment_user_and_sign"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    sign__in=["👍", "👎", "❤️", "🎉", "🔥", "🚀", "👀", "🤗", "😄", "😔"]
                ),
                name="reaction_sign_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sign} on comment {self.comment_id}"
