"""Collection: repos, papers and other collections that somebody gathered under a title."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.text import slugify

from hub.models.repo import Repo
from teams.models import Namespace, User
from teams.names import public_id

MAX_TITLE = 80
MAX_DESCRIPTION = 150
MAX_NOTE = 500
_SLUG_TITLE = 60


class Collection(models.Model):
    """Its slug is ``namespace/title-id``; only the id counts when somebody asks for it."""

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="collections")
    title = models.CharField(max_length=MAX_TITLE)
    description = models.CharField(max_length=MAX_DESCRIPTION, blank=True)
    theme = models.CharField(max_length=16, default="orange")
    private = models.BooleanField(default=False)
    position = models.IntegerField(default=0)
    """Among those of its owner."""
    upvotes = models.IntegerField(default=0)
    """``Upvote`` rows, counted."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "namespace", Lower("title"), name="one_collection_per_title_and_owner"
            )
        ]
        indexes = [
            models.Index("updated_at", "id", name="collection_by_updated"),
            models.Index("upvotes", "id", name="collection_by_upvotes"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.pk)

    @property
    def slug(self) -> str:
        title = slugify(self.title)[:_SLUG_TITLE].strip("-_")
        return f"{self.namespace.name}/{title}-{self.public_id}".replace("/-", "/")

    @property
    def url(self) -> str:
        return f"/collections/{self.slug}"


class CollectionItem(models.Model):
    """One thing in a collection; with the repo or collection that it names it goes away."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Collection, null=True, on_delete=models.CASCADE, related_name="+")
    paper = models.CharField(max_length=16, blank=True)
    """A number of arXiv."""
    position = models.IntegerField()
    note = models.CharField(max_length=MAX_NOTE, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repo__isnull=False, other__isnull=True, paper="")
                | models.Q(repo__isnull=True, other__isnull=False, paper="")
                | models.Q(repo__isnull=True, other__isnull=True) & ~models.Q(paper=""),
                name="item_is_one_thing",
            ),
            models.UniqueConstraint("collection", "repo", name="repo_once_in_a_collection"),
            models.UniqueConstraint("collection", "other", name="other_once_in_a_collection"),
            models.UniqueConstraint(
                "collection",
                "paper",
                condition=~models.Q(paper=""),
                name="paper_once_in_a_collection",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.named}"

    @property
    def public_id(self) -> str:
        return public_id(self.pk)

    @property
    def kind(self) -> str:
        if self.repo is not None:
            return self.repo.kind
        return "collection" if self.other is not None else "paper"

    @property
    def named(self) -> str:
        """What its reader knows it by: a full name, a slug or a number."""
        if self.repo is not None:
            return self.repo.full_name
        return self.other.slug if self.other is not None else self.paper


class Upvote(models.Model):
    """One user's vote for one collection."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="votes")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "collection", name="one_vote_per_user_and_collection")
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.collection}"
