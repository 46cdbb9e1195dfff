"""RepoCard: what the default branch says about a repo, in the form that lists filter and search."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.fields.json import KeyTransform

from hub.models.repo import Repo


class RepoCard(models.Model):
    """One row per repo, beside the hot ``Repo`` row: it changes only when the card does."""

    repo = models.OneToOneField(
        Repo, on_delete=models.CASCADE, primary_key=True, related_name="card"
    )
    metadata = models.JSONField(null=True)
    """The card's front matter."""
    body = models.TextField(blank=True)
    description = models.TextField(blank=True)
    tags = ArrayField(models.TextField(), default=list)
    pipeline_tag = models.TextField(blank=True)
    library_name = models.TextField(blank=True)
    config = models.JSONField(null=True)
    """The part of ``config.json`` that clients read: architectures, model_type, …"""
    transformers_info = models.JSONField(null=True)
    safetensors = models.JSONField(null=True)
    """``{"parameters": {dtype: count}, "total": count}``"""
    parameters = models.BigIntegerField(null=True)
    """Number of parameters over all safetensors files."""
    name_grams = SearchVectorField(null=True)
    """Trigrams of the lower-case full name: substring search without an extension."""
    search = SearchVectorField(null=True)
    """Name (weight A), tags (B), description (C) and text of the card (D)."""

    class Meta:
        indexes = [
            GinIndex(fields=["tags"], name="card_by_tag"),
            GinIndex(fields=["name_grams"], name="card_by_name_gram"),
            GinIndex(fields=["search"], name="card_by_text"),
            models.Index("parameters", name="card_by_parameters"),
            models.Index("pipeline_tag", name="card_by_pipeline_tag"),
            # Which spaces use a model or dataset; a list and a single name are found alike.
            GinIndex(KeyTransform("models", "metadata"), name="card_by_model_used"),
            GinIndex(KeyTransform("datasets", "metadata"), name="card_by_dataset_used"),
        ]

    def __str__(self) -> str:
        return f"card of repo {self.repo_id}"
