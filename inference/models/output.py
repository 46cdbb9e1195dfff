"""Output: a picture that a model made for somebody, with its recipe."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from hub.models import Job, Repo
from teams.names import public_id


class Output(models.Model):
    """It belongs to whoever asked for it, and nobody else sees it."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outputs"
    )
    repo = models.ForeignKey(Repo, null=True, on_delete=models.SET_NULL, related_name="outputs")
    """The model; None once it is deleted. The recipe still names it."""
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="pictures")
    place = models.SmallIntegerField(default=0)
    """The how manieth of its job."""
    recipe = models.JSONField()
    png = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["by", "-id"], name="output_by_user")]
        constraints = [
            models.UniqueConstraint(fields=["job", "place"], name="one_output_at_each_place")
        ]

    def __str__(self) -> str:
        return f"output {self.public_id}"

    @property
    def public_id(self) -> str:
        """24 hex digits, as all ids are shown."""
        return public_id(self.pk)

    @property
    def url(self) -> str:
        return f"/inference/outputs/{self.public_id}.png"
