"""Follow: who wants to hear what somebody does."""

from django.db import models
from django.db.models.functions import Now

from teams.models import Namespace, User


class Follow(models.Model):
    """One user follows one user or organisation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="follows")
    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="followers")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "namespace", name="one_follow_per_user"),
        ]
        indexes = [models.Index("namespace", "id", name="follow_by_namespace")]

    def __str__(self) -> str:
        return f"{self.user_id} follows {self.namespace_id}"
