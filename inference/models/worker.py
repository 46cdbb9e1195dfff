"""Worker: a process that runs models, for as long as it says that it is there."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Worker(models.Model):
    """One process, by where its direct line is reached; it says again and again that it lives."""

    address = models.CharField(max_length=255, unique=True)
    """Host and port of its direct line."""
    device = models.CharField(max_length=100)
    warm = ArrayField(models.CharField(max_length=300), default=list)
    """The models that it has loaded, as ``namespace/name@commit``."""
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.address
