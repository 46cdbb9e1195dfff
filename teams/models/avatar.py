"""Avatar: the picture of a user or organisation, as we drew it anew."""

from django.db import models

from teams.models.namespace import Namespace


class Avatar(models.Model):
    """A small square PNG, made by us out of what was uploaded."""

    namespace = models.OneToOneField(
        Namespace, on_delete=models.CASCADE, primary_key=True, related_name="avatar"
    )
    png = models.BinaryField()
    version = models.CharField(max_length=16)
    """The beginning of its SHA-256, which stands in its URL."""
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.namespace_id} {self.version}"
